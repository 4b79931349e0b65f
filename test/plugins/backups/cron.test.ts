import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { cronFault, isTimeZone, nextRun } from '../../../plugins/backups/cron.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const BERLIN = 'Europe/Berlin';

/** The next times, each found from the one before. */
function runs(cron: string, timezone: string, after: string, count: number): string[] {
    const found: string[] = [];
    for (let time = Date.parse(after); found.length < count;) {
        time = nextRun(cron, timezone, time);
        found.push(new Date(time).toISOString().replace(':00.000Z', 'Z'));
    }
    return found;
}

describe('nextRun', () => {
    it('gives the times of the clock on the wall', () => {
        expect(runs('0 2 * * *', BERLIN, '2026-07-01T12:00:00Z', 2)).to.equal([
            '2026-07-02T00:00Z',
            '2026-07-03T00:00Z',
        ]);
        expect(runs('0 2 * * *', 'UTC', '2026-07-01T02:00:00Z', 1)).to.equal(['2026-07-02T02:00Z']);
        expect(runs('0 3 * * 0', 'UTC', '2026-11-20T12:00:00Z', 2)).to.equal([
            '2026-11-22T03:00Z',
            '2026-11-29T03:00Z',
        ]);
        expect(runs('30 1 1 JAN *', 'Asia/Kolkata', '2026-11-20T12:00:00Z', 1)).to.equal(['2026-12-31T20:00Z']);
        expect(runs('0 9 * * MON-FRI', 'America/New_York', '2026-11-20T15:00:00Z', 1)).to.equal(['2026-11-23T14:00Z']);
    });

    it('comes after the time that it is asked for, to the millisecond', () => {
        const time = Date.parse('2026-11-21T02:00:00Z');
        expect(nextRun('0 2 * * *', 'UTC', time - 1)).to.equal(time);
        expect(nextRun('0 2 * * *', 'UTC', time)).to.equal(time + 24 * 3_600_000);
    });

    it('is once on the day on which the time is left out', () => {
        expect(runs('0 2 * * *', BERLIN, '2027-03-26T12:00:00Z', 4)).to.equal([
            '2027-03-27T01:00Z',
            '2027-03-28T01:00Z',
            '2027-03-29T00:00Z',
            '2027-03-30T00:00Z',
        ]);
        expect(runs('30 2 * * *', BERLIN, '2027-03-27T12:00:00Z', 2)).to.equal([
            '2027-03-28T01:30Z',
            '2027-03-29T00:30Z',
        ]);
    });

    it('is once on the day on which the time comes twice, also when it is asked for between the two', () => {
        expect(runs('0 2 * * *', BERLIN, '2026-10-23T12:00:00Z', 3)).to.equal([
            '2026-10-24T00:00Z',
            '2026-10-25T00:00Z',
            '2026-10-26T01:00Z',
        ]);
        for (const between of ['2026-10-25T00:30:00Z', '2026-10-25T01:10:00Z']) {
            expect(runs('30 2 * * *', BERLIN, between, 1)).to.equal(['2026-10-26T01:30Z']);
        }
    });

    it('is once on a day that begins with a gap', () => {
        expect(runs('30 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', 2)).to.equal([
            '2026-09-06T04:30Z',
            '2026-09-07T03:30Z',
        ]);
    });

    it('knows clocks that are changed by half an hour', () => {
        expect(runs('45 1 * * *', 'Australia/Lord_Howe', '2027-04-03T12:00:00Z', 2)).to.equal([
            '2027-04-03T14:45Z',
            '2027-04-04T15:15Z',
        ]);
    });

    it('fires once on each day of a year in every zone', () => {
        for (const zone of [BERLIN, 'America/New_York', 'Africa/Cairo', 'Pacific/Auckland', 'America/Havana']) {
            const found = runs('0 2 * * *', zone, '2026-12-31T12:00:00Z', 365);
            const day = new Intl.DateTimeFormat('en-CA', { timeZone: zone });
            expect(new Set(found.map((time) => day.format(new Date(time.replace('Z', ':00Z'))))).size).to.equal(365);
        }
    });

    it('may fire each hour, in the hour that comes twice once', () => {
        expect(runs('0 * * * *', BERLIN, '2026-10-24T23:30:00Z', 3)).to.equal([
            '2026-10-25T00:00Z',
            '2026-10-25T02:00Z',
            '2026-10-25T03:00Z',
        ]);
        expect(runs('0 * * * *', BERLIN, '2027-03-27T23:30:00Z', 3)).to.equal([
            '2027-03-28T00:00Z',
            '2027-03-28T01:00Z',
            '2027-03-28T02:00Z',
        ]);
    });
});

describe('cronFault', () => {
    it('finds none in five fields', () => {
        for (const cron of ['0 2 * * *', '5 */6 * * *', '0 8-18/2 1,15 * MON-FRI', '0 0 29 2 *', '59 23 31 12 SUN']) {
            expect(cronFault(cron), cron).to.be.null();
        }
    });

    it('refuses what is not five fields of crontab', () => {
        const others = ['', '0 2 * *', '0 0 2 * * *', '@daily', 'H 2 * * *', '0 2 L * *', '0 2 ? * *', '0 2 * * 1#2'];
        for (const cron of [...others, '0 2 * * FOO', '-1 2 * * *', '0 2 * * * ; ls', '0\n2 * * *']) {
            expect(String(cronFault(cron)), cron).to.startWith('needs five fields');
        }
    });

    it('refuses what never comes', () => {
        for (const cron of ['60 2 * * *', '0 24 * * *', '0 2 30 2 *', '0 2 0 * *', '0 2 * 13 *', '0 5-2 * * *']) {
            expect(cronFault(cron), cron).to.equal('is no time that ever comes');
        }
    });

    it('refuses what fires more than once an hour', () => {
        for (const cron of ['* * * * *', '0,30 2 * * *', '*/15 * * * *', '10-12 3 * * *']) {
            expect(String(cronFault(cron)), cron).to.startWith('may fire once an hour');
        }
    });
});

describe('isTimeZone', () => {
    it('knows those of the IANA database and nothing else', () => {
        for (const name of ['UTC', BERLIN, 'America/Argentina/Buenos_Aires', 'Etc/GMT+5']) {
            expect(isTimeZone(name), name).to.be.true();
        }
        for (const name of ['', '+02:00', 'Nowhere', 'Europe/Berlin ', '../etc', 'Mars/Phobos']) {
            expect(isTimeZone(name), name).to.be.false();
        }
    });
});
