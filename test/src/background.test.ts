import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Background } from '../../src/background.ts';
import { Drain } from '../../src/drain.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const never = () => new Promise<void>(() => undefined);

function newBackground() {
    const drain = new Drain();
    const logs: Record<string, unknown>[] = [];
    const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({ level: 'info', pretty: false, destination });
    return { drain, logs, background: new Background(drain, logger) };
}

describe('Background', () => {
    it('is waited for by the drain', async () => {
        const { drain, background } = newBackground();
        const done: number[] = [];
        for (let n = 0; n < 10; n++) {
            background.run('test', 'req', async () => {
                await new Promise((resolve) => setTimeout(resolve, 2));
                done.push(n);
            });
        }
        expect(done).to.equal([]);
        await drain.finish(new AbortController().signal);
        expect(done).to.have.length(10);
    });

    it('is not waited for past the deadline', async () => {
        const { drain, background } = newBackground();
        background.run('test', 'req', never);
        const deadline = new AbortController();
        const finished = drain.finish(deadline.signal);
        deadline.abort();
        await finished;
        await drain.finish(AbortSignal.abort());
    });

    it('logs what fails, under the request that began it, and goes on', async () => {
        const { drain, logs, background } = newBackground();
        let isDone = false;
        background.run('test', 'req_1', () => Promise.reject(new Error('no')));
        background.run('test', 'req_2', async () => {
            isDone = true;
        });
        await drain.finish(new AbortController().signal);
        expect(isDone).to.be.true();
        expect(logs).to.have.length(1);
        expect(logs[0]).to.include({ module: 'test', requestId: 'req_1' });
    });

    it('leaves work undone when a thousand wait, and says so', () => {
        const { logs, background } = newBackground();
        for (let n = 0; n < 1_010; n++) background.run('test', `req_${n}`, never);
        expect(logs.length).to.be.within(1, 10);
        expect(logs[0]).to.include({ module: 'test' });
    });
});
