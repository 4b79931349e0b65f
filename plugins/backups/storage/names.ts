const PART = '[A-Za-z0-9][A-Za-z0-9_-]{0,127}';
const NAME = new RegExp(`^${PART}/${PART}(?:\\.[a-z0-9]{1,16}){1,3}$`);
const FOLDER = new RegExp(`^${PART}/$`);

export const isName = (name: string): boolean => NAME.test(name);

/** @throws {Error} For what is no name of the storage: whoever asks has not checked an id */
export function checkName(name: string): string {
    if (!isName(name)) throw new Error('This is not the name of a file in the storage of backups');
    return name;
}

/** @throws {Error} For what is neither a folder nor empty */
export function checkPrefix(prefix: string): string {
    if (prefix !== '' && !FOLDER.test(prefix)) throw new Error('This is not a folder of the storage of backups');
    return prefix;
}
