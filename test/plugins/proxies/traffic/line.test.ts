import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { Line, type LineParts } from '../../../../plugins/proxies/traffic/line.ts';
import { isApiError } from '../../../../src/http/errors.ts';
import { until } from '../../../helpers/tunnel-agent.ts';

import type { Entry, Given } from '../../../../plugins/proxies/traffic/capacity-store.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const codeOf = (error: unknown) => (isApiError(error) ? error.data?.code : String(error));
const neverGone = () => new AbortController().signal;

/** A line whose questions a test answers itself, in their order. */
function newLine(changed: Partial<LineParts> = {}) {
    const asked: { lease: string; keep: string[]; answer: (entry: Entry) => void; fail: (error: unknown) => void }[] =
        [];
    const given: Given[] = [];
    let emptied = 0;
    const line = new Line({
        enter: (lease, keep) =>
            new Promise((answer, fail) => {
                asked.push({ lease, keep, answer, fail });
            }),
        giveBack: (back) => given.push(back),
        refresh: async () => undefined,
        onEmpty: () => emptied++,
        waitMs: 10_000,
        pollMs: 60_000,
        ...changed,
    });
    const answer = async (entry: Entry) => {
        await until(() => asked.length > 0);
        const question = asked.shift();
        question?.answer(entry);
        return question;
    };
    return { line, asked, given, answer, emptied: () => emptied };
}

describe('Line', () => {
    it('gives back what was given to somebody who had just left', async () => {
        const { line, given, answer } = newLine();
        const client = new AbortController();
        const waiting = line.wait('one', Date.now(), client.signal).catch(codeOf);
        client.abort();
        expect(await waiting).to.equal('PROXY_BUSY');
        await answer(['tun_b', 'tun_a']);
        await until(() => given.length === 2);
        expect(given).to.equal([{ places: ['one'] }, { leases: ['tun_b/one'] }]);
    });

    it('does not take in who has gone before', async () => {
        const { line, asked, given, emptied } = newLine();
        expect(await line.wait('one', Date.now(), AbortSignal.abort()).catch(codeOf)).to.equal('PROXY_BUSY');
        expect([asked.length, given, emptied()]).to.equal([0, [{ places: ['one'] }], 1]);
    });

    it('asks for one at a time, in the order of coming, and again when it was woken meanwhile', async () => {
        const { line, asked, answer } = newLine();
        const [one, two] = [line.wait('one', 0, neverGone()), line.wait('two', 0, neverGone())];
        expect(asked.map(({ lease }) => lease)).to.equal(['one']);
        line.wake('two');
        line.wake('another');
        await answer('waiting');
        // Woken for the second, it asks for the first: it is his turn.
        expect((await answer(['tun_a']))?.lease).to.equal('one');
        expect(await one).to.equal(['tun_a']);
        expect((await answer(['tun_b']))?.lease).to.equal('two');
        expect(await two).to.equal(['tun_b']);
        line.wake('one');
        expect(asked).to.equal([]);
    });

    it('keeps the places of all when it looks by itself, and is asked nothing more when it is empty', async () => {
        let looks = 0;
        const { line, asked, answer, emptied } = newLine({
            pollMs: 200,
            refresh: async () => {
                looks++;
            },
        });
        const waiting = [line.wait('one', 0, neverGone()), line.wait('two', 0, neverGone())];
        // One question for each who came.
        for (const keep of [[], []]) expect((await answer('waiting'))?.keep).to.equal(keep);
        expect((await answer('waiting'))?.keep).to.equal(['one', 'two']);
        expect(looks).to.be.above(0);
        for (const tunnel of ['tun_a', 'tun_b']) await answer([tunnel]);
        expect(await Promise.all(waiting)).to.equal([['tun_a'], ['tun_b']]);
        const before = looks;
        await new Promise((resolve) => setTimeout(resolve, 300));
        expect([looks, asked.length, emptied()]).to.equal([before, 0, 1]);
    });

    it('tells all what went wrong', async () => {
        const { line, asked, given } = newLine();
        const waiting = ['one', 'two'].map((lease) => line.wait(lease, 0, neverGone()).catch(String));
        asked[0]?.fail(new Error('away'));
        expect(await Promise.all(waiting)).to.equal(['Error: away', 'Error: away']);
        expect(given).to.equal([{ places: ['one', 'two'] }]);
    });
});
