import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { REQUEST_ID, TRACE_ID, wholeRun, type WholeRun } from './helpers/whole-run.ts';

import type { TestSpan } from './helpers/collector.ts';

export const lab = Lab.script();
const { describe, it, before } = lab;

/** A secret as it is, and as it looks in a header, a URL or JSON. */
const formsOf = (secret: string): string[] => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    JSON.stringify(JSON.stringify(secret).slice(1, -1)).slice(1, -1),
    encodeURIComponent(secret),
    encodeURI(secret),
    // What no encoding of text changes.
    ...(/(?<= )[0-9a-f]{12}$/.exec(secret) ?? []),
    ...(['base64', 'base64url', 'hex', 'latin1'] as const).map((form) => Buffer.from(secret).toString(form)),
];

/** What was found where. */
function leaksIn({ secrets, logs, collector, metrics, errors }: WholeRun): string[] {
    const places: Record<string, string> = {
        'the log of a replica': logs.taker,
        'the log of the other replica': logs.holder,
        'the log of the agent': logs.agent,
        'traces and reports': collector.texts.join('\n'),
        metrics,
        'the answers of errors': errors.join('\n'),
    };
    return Object.entries(places).flatMap(([place, text]) =>
        [...secrets].flatMap(([name, secret]) =>
            formsOf(secret).some((form) => text.includes(form)) ? [`${name} is in ${place}`] : [],
        ),
    );
}

const linesOf = (log: string): Record<string, unknown>[] =>
    log
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);

/** Whether a field stands at the top of a line more than once; within errors a name may come again. */
const isTwice = (line: string, name: string): boolean =>
    !line.includes('"err":') && line.split(`"${name}":`).length > 2;

describe('a day of a tenant on two replicas', { timeout: 120_000 }, () => {
    let run: WholeRun;

    before(async () => {
        run = await wholeRun('info');
    });

    it('leaves no secret and no text in logs, traces, reports, metrics and errors', () => {
        expect(run.secrets.size).to.be.above(25);
        expect(run.errors.length).to.be.above(10);
        expect(run.metrics).to.include('route="/api/threads/{threadId}/models/{modelId}/messages"');
        expect(run.collector.spans().length).to.be.above(100);
        expect(run.collector.events().length).to.be.above(0);
        expect(leaksIn(run)).to.equal([]);
    });

    it('would be seen to leave one, in whatever form', () => {
        const [[name, secret] = ['', '']] = run.secrets;
        for (const form of formsOf(secret)) {
            const logs = { ...run.logs, holder: `${run.logs.holder}${form}\n` };
            expect(leaksIn({ ...run, logs })).to.equal([`${name} is in the log of the other replica`]);
        }
    });

    it('leaves none when everything is logged that can be', async () => {
        expect(leaksIn(await wholeRun('trace'))).to.equal([]);
    });

    it('has the id of a request in the lines of all that it has caused', () => {
        const { logs, asked, received } = run;
        const found = (log: string) => linesOf(log).filter(({ requestId }) => requestId === REQUEST_ID);
        const [taken] = found(logs.taker).filter(({ module }) => module === 'http');
        expect(taken?.method).to.equal('post');
        expect(taken?.tenantId).to.match(/^tenant_/);
        expect(taken?.userId).to.match(/^user_/);
        const hops = found(logs.holder).filter(({ msg }) => msg === 'relayed for another replica');
        expect(hops).to.have.length(1);
        expect(hops[0]).to.include({ tenantId: taken?.tenantId, status: 200 });
        expect(found(logs.agent).map(({ message }) => message)).to.equal(['Relayed']);
        expect(asked?.headers['x-request-id']).to.equal(REQUEST_ID);
        const work = [...found(logs.taker), ...found(logs.holder)];
        const attempts = work.filter(({ msg }) => msg === 'webhook attempted');
        // Of the question, and of its answer.
        expect(attempts).to.have.length(2);
        expect(work.filter(({ job }) => job === 'deliver-webhook')).to.have.length(2);
        expect(received.filter(({ headers }) => headers['x-request-id'] === REQUEST_ID)).to.have.length(2);
    });

    it('says nothing twice in a line of the log', () => {
        const { taker, holder } = run.logs;
        const lines = [taker, holder].flatMap((log) => log.trim().split('\n'));
        // What was said twice would be parsed once.
        const twice = lines.filter((line) =>
            Object.keys(JSON.parse(line) as object).some((name) => isTwice(line, name)),
        );
        expect(lines.some((line) => line.includes('"tenantId":'))).to.be.true();
        expect(twice).to.equal([]);
    });

    it('is one trace, from the client to the service behind the tunnel', () => {
        const spans = run.collector.spans().filter(({ traceId }) => traceId === TRACE_ID);
        const one = (name: string, parent?: TestSpan): TestSpan => {
            const span = spans.find((span) => span.name === name && (!parent || span.parentSpanId === parent.spanId));
            if (!span) throw new Error(`No ${name} among ${spans.map((span) => span.name).join(', ')}`);
            return span;
        };
        const request = one('POST /api/threads/{threadId}/models/{modelId}/messages');
        const generation = one('generation', request);
        const tunnel = one('tunnel', generation);
        const hop = one('tunnel hop', tunnel);
        for (const { name, attributes } of [request, generation, tunnel, hop]) {
            expect(attributes['request.id'], name).to.equal(REQUEST_ID);
        }
        expect(run.asked?.headers.traceparent).to.equal(`00-${TRACE_ID}-${hop.spanId}-01`);
        // Others on the same connection are none of it.
        const requests = run.collector.spans().filter(({ attributes }) => attributes['http.route'] !== undefined);
        expect(requests.filter(({ traceId }) => traceId === TRACE_ID)).to.have.length(1);
        expect(requests.filter(({ parentSpanId }) => parentSpanId !== '')).to.have.length(1);
        const deliveries = run.collector.spans().filter(({ name }) => name === 'job deliver-webhook');
        expect(deliveries.map(({ attributes }) => attributes['request.id'])).to.include(REQUEST_ID);
    });
});
