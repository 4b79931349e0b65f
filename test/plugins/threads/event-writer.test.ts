import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { EventLog, type LoggedEvent } from '../../../plugins/threads/event-log.ts';
import { EventWriter } from '../../../plugins/threads/event-writer.ts';

export const lab = Lab.script();
const { describe, it } = lab;

/** So long is waited for more after a batch. */
const BATCH_MS = 25;

const tokenOf = (n: number): LoggedEvent => String(n);

describe('EventWriter', () => {
    const open = () => {
        const log = new EventLog('msg');
        const stored: [from: number, count: number][] = [];
        const failures: unknown[] = [];
        const store = (from: number, events: LoggedEvent[]) => Promise.resolve(void stored.push([from, events.length]));
        const writer = new EventWriter({ log, store, onFailure: (error) => failures.push(error) });
        return { log, stored, failures, writer };
    };

    it('writes what came in one piece in one piece, and what comes within a moment together', async () => {
        const { log, stored, writer } = open();
        for (let n = 0; n < 3; n++) writer.push(tokenOf(n));
        await writer.flush();
        writer.push(tokenOf(3));
        await new Promise((resolve) => setImmediate(resolve));
        writer.push(tokenOf(4));
        await writer.flush();
        expect(stored).to.equal([
            [0, 3],
            [3, 2],
        ]);
        expect(log.length).to.equal(5);
    });

    it('does not wait for more where somebody waits for the end', async () => {
        const rounds = 40;
        const { log, stored, writer } = open();
        const began = performance.now();
        for (let n = 0; n < rounds; n++) {
            writer.push(tokenOf(n));
            await writer.flush();
        }
        expect(performance.now() - began).to.be.below((rounds * BATCH_MS) / 2);
        expect([stored.length, log.length]).to.equal([rounds, rounds]);
    });

    it('writes nothing after a failure, and tells of it', async () => {
        const failures: unknown[] = [];
        let tries = 0;
        const store = () => {
            tries++;
            return Promise.reject(new Error('away'));
        };
        const writer = new EventWriter({ log: new EventLog('msg'), store, onFailure: (error) => failures.push(error) });
        writer.push(tokenOf(0));
        await expect(writer.flush()).to.reject('away');
        writer.push(tokenOf(1));
        await expect(writer.flush()).to.reject('away');
        expect([tries, failures.length]).to.equal([1, 1]);
    });
});
