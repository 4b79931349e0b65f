/** What is asked of the service behind the tunnels. */
export const SMALL_PATH = '/small';
export const BULK_PATH = '/bulk';
export const BULK_BYTES = 64 * 1_048_576;
