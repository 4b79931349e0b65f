import Joi from 'joi';

/** The form of a backup's id, which also names its archive: nothing in it leads out of a folder. */
export const BACKUP_ID = /^backup_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}(?:-[1-9]\d{0,3})?$/;

/** The schema of a backup's id. */
export const backupIdSchema = (): Joi.StringSchema =>
    Joi.string().pattern(BACKUP_ID, 'backup id').example('backup_2026-11-20_10-30-00');

/** An id by the time, in UTC; the others of one second have a number from 2 at their ends. */
export function backupIdOf(time: number, number: number): string {
    const [day = '', clock = ''] = new Date(time).toISOString().slice(0, 19).split('T');
    return `backup_${day}_${clock.replaceAll(':', '-')}${number > 1 ? `-${number}` : ''}`;
}

/** The day, in UTC, that a backup was begun on. */
export const dayOf = (backupId: string): string => backupId.slice('backup_'.length, 'backup_'.length + 10);
