const number = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const dollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD' });
const fineDollars = new Intl.NumberFormat('en', { style: 'currency', currency: 'USD', maximumFractionDigits: 6 });
const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' });
const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const month = new Intl.DateTimeFormat('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' });

const NOTHING = '–';
const MICROS = 1_000_000;
const CENT = 10_000;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** @param {number | null | undefined} value */
export const count = (value) => (value === null || value === undefined ? NOTHING : number.format(value));

/** @param {number} value As `1.2K`, for the scale of a chart */
export const shortCount = (value) => short.format(value);

/** @param {number | null | undefined} micros Parts of a cent are shown where they are all there is */
export function money(micros) {
    if (micros === null || micros === undefined) return NOTHING;
    const isFine = micros !== 0 && Math.abs(micros) < CENT;
    return (isFine ? fineDollars : dollars).format(micros / MICROS);
}

/** @param {number | null | undefined} value */
export function bytes(value) {
    if (value === null || value === undefined) return NOTHING;
    const step = Math.max(0, Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(value, 1)) / 10)));
    return `${number.format(Math.round((value / 1024 ** step) * 10) / 10)} ${UNITS[step]}`;
}

/** @param {string | null | undefined} iso */
export const time = (iso) => (iso ? `${moment.format(new Date(iso))} UTC` : NOTHING);

/** @param {string} iso @param {number} [now] How long ago it was */
export function age(iso, now = Date.now()) {
    const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
    if (seconds < 90) return `${seconds} s`;
    if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
    if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`;
    return `${Math.round(seconds / 86_400)} d`;
}

/** @param {string} period `2026-11-20T09` is an hour, `2026-11-20` a day and `2026-11` a month */
export function period(period) {
    if (period.length === 7) return month.format(new Date(`${period}-01T00:00:00Z`));
    if (period.length === 10) return date.format(new Date(`${period}T00:00:00Z`));
    return `${period.slice(11, 13)}:00`;
}

/** @param {string} name `half_open` is `half open` */
export const words = (name) => name.replaceAll('_', ' ');
