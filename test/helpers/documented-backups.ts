import { NOBODYS_BACKUP } from './backups.ts';
import { newTenant } from './tenant.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about backups for what it has to say, and has the answers looked at. */
export async function askAboutBackups(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const base = '/api/backups';
    const schedules = `${base}/schedule`;
    const { operator } = app.server.plugins.backups;
    const own = await newTenant(app);
    const ask = async (method: string, path: string, id = '', options = {}, query = '') => {
        const url = path.replaceAll(/\{\w+\}/g, id) + query;
        const answer = await own.call(method.toUpperCase(), url, options);
        look(method, path, answer);
        return answer.body?.data;
    };
    const full = { payload: { type: 'full' } };
    const { id } = (await ask('post', `${base}/create`, '', full)).backup;
    for (const options of [full, { payload: {} }]) await ask('post', `${base}/create`, '', options);
    for (const path of ['details', 'verify', 'download']) {
        const method = path === 'verify' ? 'post' : 'get';
        for (const backupId of [id, NOBODYS_BACKUP]) await ask(method, `${base}/{backupId}/${path}`, backupId);
    }
    await ask('delete', `${base}/{backupId}`, id);
    await app.server.plugins.backups.write(own.tenantId, id);
    for (const query of ['', '?type=full&state=completed', '?cursor=foreign', '?state=gone']) {
        await ask('get', `${base}/list`, '', {}, query);
    }
    await ask('get', `${base}/stats`);
    await ask('get', `${base}/{backupId}/details`, id);
    await ask('get', `${base}/{backupId}/download`, id);
    await ask('post', `${base}/{backupId}/verify`, id);
    for (const query of ['', '?contents=true']) {
        await ask('get', `${base}/{backupId}/compare/{otherBackupId}`, id, {}, query);
    }
    await ask('get', `${base}/{backupId}/compare/{otherBackupId}`, NOBODYS_BACKUP);

    for (const [method, path] of [
        ['put', `${schedules}/{scheduleId}`],
        ['delete', `${schedules}/{scheduleId}`],
    ] as const) {
        await ask(method, path, 'schedule_00000000000000000000000000', { payload: { enabled: true } });
    }
    const [daily, weekly] = (await ask('get', schedules)).schedules;
    const nightly = { name: 'Nightly', cron: '0 2 * * *', timezone: 'Europe/Berlin', type: 'config' };
    await ask('post', schedules, '', { payload: nightly });
    await ask('post', schedules, '', { payload: { ...nightly, cron: '* * * * *' } });
    await ask('put', `${schedules}/{scheduleId}`, daily.id, { payload: { enabled: true } });
    await ask('put', schedules, '', { payload: { enabled: false } }, `?id=${daily.id}`);
    await ask('delete', `${schedules}/{scheduleId}`, daily.id, { headers: { 'if-match': '"99"' } });
    await ask('delete', `${schedules}/{scheduleId}`, daily.id);
    await ask('delete', schedules, '', {}, `?id=${weekly.id}`);

    const components = { payload: { components: ['deployment'] } };
    const { restore } = await ask('post', `${base}/{backupId}/restore`, id, components);
    await ask('post', `${base}/{backupId}/restore`, id, components);
    await ask('get', `${base}/restores/{restoreId}`, restore.id);
    await app.server.plugins.backups.restore(own.tenantId, restore.id);
    for (const path of ['{restoreId}', '{restoreId}/stream']) {
        await ask('get', `${base}/restores/${path}`, restore.id);
        await ask('get', `${base}/restores/${path}`, 'restore_00000000000000000000000000');
    }
    const { id: config } = await operator.backup(own.tenantId, 'config');
    const database = { payload: { components: ['database'] } };
    await ask('post', `${base}/{backupId}/restore`, config, database);
    for (let times = 0; times < 2; times++) await ask('delete', `${base}/{backupId}`, config);
    const notice = '/api/webhooks/backup-complete';
    look('post', notice, await app.call('POST', notice, { payload: {} }));
}
