import { CronExpressionParser } from 'cron-parser';

const NAMES = '(?:[0-9]{1,2}|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)';
const PART = `(?:\\*|${NAMES}(?:-${NAMES})?)(?:/[0-9]{1,2})?`;
const FIELD = `${PART}(?:,${PART})*`;
const FIVE_FIELDS = new RegExp(`^${FIELD}(?: ${FIELD}){4}$`, 'i');

const DAY_MS = 24 * 3600 * 1000;
/** Longer than any clock is ever turned back. */
const LOOK_BACK_MS = 4 * 3600 * 1000;
const ANY_TIME = Date.UTC(2026, 0, 1);

/** What is wrong with an expression of five fields (crontab(5)) that fires once an hour at most; null: nothing. */
export function cronFault(cron: string): string | null {
    if (!FIVE_FIELDS.test(cron)) return 'needs five fields: minute, hour, day of the month, month, day of the week';
    try {
        const expression = parse(cron, ANY_TIME);
        if (expression.fields.minute.values.length > 1) return 'may fire once an hour at most: name one minute';
        expression.next();
        return null;
    } catch {
        return 'is no time that ever comes';
    }
}

/** Whether it is a time zone of the IANA database. */
export function isTimeZone(name: string): boolean {
    // Newer ones take an offset as a zone, which knows no summer time.
    if (!/^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/.test(name)) return false;
    try {
        return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
    } catch {
        return false;
    }
}

/**
 * When it fires first after that time; milliseconds since the epoch, both. Each time that a clock on the wall should
 * show is one run: the first one of those it shows twice, and as long after the gap as after its beginning when the
 * clock goes forward over it. (The parser's own reckoning leaves out days that begin with such a gap.)
 */
export function nextRun(cron: string, timezone: string, after: number): number {
    const offset = offsetsOf(timezone);
    const expression = parse(cron, after + offset(after) - LOOK_BACK_MS);
    for (;;) {
        const time = instantOf(expression.next().getTime(), offset);
        if (time > after) return time;
    }
}

/** How far the clocks of a zone are ahead of UTC at a time, in milliseconds. */
type Offset = (time: number) => number;

const parse = (cron: string, from: number) =>
    CronExpressionParser.parse(cron, { tz: 'UTC', currentDate: new Date(from) });

/** When the clock on the wall shows what it would show in UTC at that time. */
function instantOf(wall: number, offset: Offset): number {
    const [before, later] = [offset(wall - DAY_MS), offset(wall + DAY_MS)];
    const shown = [wall - before, wall - later].filter((time) => time + offset(time) === wall);
    return shown.length > 0 ? Math.min(...shown) : wall - before;
}

function offsetsOf(timeZone: string): Offset {
    const figures = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', second: 'numeric', ...figures });
    return (time) => {
        const second = Math.floor(time / 1000) * 1000;
        const parts = format.formatToParts(second);
        const figure = (type: string) => Number(parts.find((part) => part.type === type)?.value);
        const date = Date.UTC(figure('year'), figure('month') - 1, figure('day'));
        return date + ((figure('hour') * 60 + figure('minute')) * 60 + figure('second')) * 1000 - second;
    };
}
