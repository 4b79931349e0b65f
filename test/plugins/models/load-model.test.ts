import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { newKey } from '../../helpers/api-key.ts';
import { startReplicas, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError, expectFaults } from '../../helpers/expect-error.ts';
import { layer, StandInOllama } from '../../helpers/ollama.ts';
import { hold } from '../../helpers/provider.ts';
import { resumeStream } from '../../helpers/stream.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';
import { parseEvents, type ReceivedEvent } from '../../helpers/thread.ts';
import { newUser } from '../../helpers/user.ts';

export const lab = Lab.script();
const { describe, it, before, beforeEach, after } = lab;

const isLast = ({ event }: ReceivedEvent): boolean => event === 'complete' || event === 'error';
const percents = (events: ReceivedEvent[]) => events.map(({ data }) => data.loadProgress);
const NOBODY = 'job_00000000000000000000000000';

describe('POST /api/models/{modelId}/load', () => {
    let ollama: StandInOllama;
    let one: TestApp;
    let two: TestApp;
    let ada: TestTenant;

    before(async () => {
        ollama = await StandInOllama.start();
        [one, two] = await startReplicas({ listen: true, config: ollama.config() });
    });

    beforeEach(async () => {
        // What was known of Ollama in the test before is old now.
        for (const app of [one, two]) await app.advance(4_000);
        ada = await newTenant(one);
    });

    after(async () => {
        await one.stop();
        await two.stop();
        await ollama.provider.stop();
    });

    const path = (model: string) => `/api/models/${model}/load`;
    const load = (model: string, by = ada) => by.call('POST', path(model));
    const begin = async (model: string): Promise<string> => {
        const answer = await load(model);
        expect(answer.status, answer.text).to.equal(202);
        return answer.body.data.jobId;
    };
    const follow = (app: TestApp, model: string, jobId: string, lastEventId?: string) =>
        resumeStream(`${app.server.info.uri}${path(model)}/stream?jobId=${jobId}`, ada.accessToken, lastEventId);
    const followed = async (model: string, jobId: string) => (await follow(two, model, jobId)).rest();
    const eventsOf = async (tenantId: string) => {
        const entries = await one.redis.xrange(`tenant:{${tenantId}}:events`, '-', '+');
        return entries
            .map(([, [, type = '', , data = '']]) => [type, JSON.parse(data)])
            .filter(([type]) => String(type).startsWith('model'));
    };
    /** The end is told after it is stored. */
    const untilTold = async (tenantId: string) => {
        for (;;) {
            const told = (await readAudit(one, tenantId)).filter(({ action }) => action === 'model.load');
            if (told.length > 0) return told;
        }
    };

    it('loads a model from the disk as a call would, and says so in the stream, the audit and the events', async () => {
        const model = ollama.diskModel();
        const answer = await load(model);
        expect(answer.status).to.equal(202);
        const { jobId, ...rest } = answer.body.data;
        expect(rest).to.equal({ modelId: model, status: 'loading', estimatedTime: null });
        const events = await followed(model, jobId);
        expect(events.map(({ id, event }) => [id, event])).to.equal([
            ['1', 'progress'],
            ['2', 'complete'],
        ]);
        const ids = { modelId: model, jobId };
        const unknown = { loadProgress: null, completedBytes: null, totalBytes: null };
        expect(events[0]?.data).to.equal({ ...ids, phase: 'loading', ...unknown });
        expect(events[1]?.data).to.equal({ ...ids, status: 'loaded', loadProgress: 100 });
        expect(ollama.pulls()).to.be.empty();
        expect(ollama.chats().map(({ body }) => body)).to.equal([
            { model, messages: [], keep_alive: '30m', stream: false, options: { num_ctx: 32_768 } },
        ]);

        const [entry] = await untilTold(ada.tenantId);
        expect(entry).to.include({ resource: 'model', resourceId: model, result: 'success', userId: ada.userId });
        expect(entry?.correlationId).to.equal(answer.body.requestId);
        expect(JSON.parse(entry?.details ?? '')).to.equal({ jobId, work: 'loaded' });
        expect(await eventsOf(ada.tenantId)).to.equal([['model.loaded', { userId: ada.userId, ...ids }]]);
    });

    it('fetches a model that is not on the disk, with the progress that Ollama tells of all its layers', async () => {
        const model = ollama.newModel();
        ollama.pull = [
            layer('a', 800),
            layer('a', 800, 200),
            layer('a', 800, 201),
            layer('a', 800, 800),
            // Another layer makes the whole larger: nobody is told less than before.
            layer('b', 800, 400),
            layer('b', 800, 800),
        ];
        const events = await followed(model, await begin(model));
        expect(percents(events)).to.equal([null, 0, 25, 99, 99, 100]);
        expect(events.map(({ data }) => data.phase ?? data.status)).to.equal([
            ...Array.from({ length: 4 }, () => 'pulling'),
            'loading',
            'loaded',
        ]);
        expect(events[2]?.data).to.include({ completedBytes: 200, totalBytes: 800 });
        expect(ollama.pulls().map(({ body }) => body)).to.equal([{ model, stream: true }]);
        expect(ollama.chats().length).to.equal(1);
        const [entry] = await untilTold(ada.tenantId);
        expect(JSON.parse(entry?.details ?? '')).to.include({ work: 'pulled' });
    });

    it('is one pull and one load for 20 at once, of any tenant on two replicas', async () => {
        const model = ollama.newModel();
        const point = hold();
        ollama.pull = [layer('a', 100, 50), point];
        const users = await Promise.all(Array.from({ length: 20 }, () => newTenant(one)));
        const answers = await Promise.all(
            users.map(({ accessToken: token }, n) => (n % 2 ? one : two).call('POST', path(model), { token })),
        );
        expect(answers.map(({ status }) => status)).to.equal(answers.map(() => 202));
        const jobs = new Set(answers.map(({ body }) => body.data.jobId));
        expect(jobs.size).to.equal(1);
        const [jobId = ''] = jobs;
        await point.reached;
        expect(await begin(model)).to.equal(jobId);
        point.release();
        const ends = await Promise.all([one, two].map(async (app) => (await follow(app, model, jobId)).rest()));
        for (const events of ends) expect(events.at(-1)?.event).to.equal('complete');
        expect([ollama.pulls().length, ollama.chats().length]).to.equal([1, 1]);
    });

    it('ends at once for a model that is loaded, and loads nothing', async () => {
        const model = ollama.diskModel();
        const first = await begin(model);
        await followed(model, first);
        const second = await begin(model);
        expect(second).to.not.equal(first);
        expect((await followed(model, second)).map(({ event }) => event)).to.equal(['complete']);
        expect(ollama.chats().length).to.equal(1);
    });

    it('tells how long it will take once that is known', async () => {
        const model = ollama.diskModel();
        await followed(model, await begin(model));
        ollama.loaded.clear();
        const { body } = await load(model);
        expect(Number(body.data.estimatedTime)).to.be.at.least(1);
        await followed(model, body.data.jobId);
        expect(ollama.chats().length).to.equal(2);
    });

    it('is done once for an Idempotency-Key', async () => {
        const model = ollama.diskModel();
        const headers = { 'idempotency-key': 'load it once' };
        const send = (app: TestApp) => app.call('POST', path(model), { token: ada.accessToken, headers });
        const first = await send(one);
        await followed(model, first.body.data.jobId);
        const again = await send(two);
        expect([again.status, again.headers['idempotent-replayed']]).to.equal([202, 'true']);
        expect(again.body.data).to.equal(first.body.data);
        expect((await untilTold(ada.tenantId)).length).to.equal(1);
    });

    it('is for models that need it', async () => {
        for (const model of ['sandbox', 'remote']) expectError(await load(model), 'MODEL_NOT_LOADABLE');
        expectError(await load('none'), 'MODEL_NOT_FOUND');
    });

    it('is for users and keys that may, three times a minute', () =>
        one.inNoTime(async () => {
            const model = ollama.diskModel();
            expectError(await one.call('POST', path(model)), 'UNAUTHENTICATED');
            const { secret } = await newKey(ada, { scopes: ['model:read'] });
            expectError(await one.call('POST', path(model), { token: secret }), 'FORBIDDEN');
            const bob = await newUser(one, ada.tenantId, 'user');
            for (let times = 0; times < 3; times++) expect((await bob.call('POST', path(model))).status).to.equal(202);
            expectError(await bob.call('POST', path(model)), 'RATE_LIMITED');
            const { secret: able } = await newKey(ada, { scopes: ['model:load'] });
            expect((await one.call('POST', path(model), { token: able })).status).to.equal(202);
        }));

    describe('GET /api/models/{modelId}/load/stream', () => {
        it('goes on after the last event that the client has, on the other replica', async () => {
            const model = ollama.newModel();
            const [half, most] = [hold(), hold()];
            ollama.pull = [layer('a', 100, 10), half, layer('a', 100, 50), most, layer('a', 100, 90)];
            const jobId = await begin(model);
            const first = await follow(one, model, jobId);
            const seen = await first.until(({ data }) => data.loadProgress === 10);
            first.leave();
            half.release();
            const second = await follow(two, model, jobId, seen.at(-1)?.id);
            expect(second.headers.get('content-type')).to.contain('text/event-stream');
            await second.until(({ data }) => data.loadProgress === 50);
            most.release();
            const events = [...seen, ...(await second.rest())];
            expect(percents(events)).to.equal([null, 10, 50, 90, 90, 100]);
            expect(events.map(({ id }) => Number(id))).to.equal(events.map((_, at) => at + 1));
        });

        it('gives the events again for 15 minutes, to whoever knows the job', async () => {
            const model = ollama.diskModel();
            const jobId = await begin(model);
            const events = await followed(model, jobId);
            const eve = await newTenant(two);
            const url = `${path(model)}/stream?jobId=${jobId}`;
            const { text } = await eve.call('GET', url);
            expect(parseEvents(text)).to.equal(events);
            for (const secret of [ada.tenantId, ada.userId, ada.email]) expect(text).to.not.contain(secret);
            const rest = await eve.call('GET', url, { headers: { 'last-event-id': '1' } });
            expect(parseEvents(rest.text)).to.equal(events.filter(isLast));
            const key = `tenant:{platform}:model-load:${jobId}`;
            for (const name of [key, `${key}:events`]) {
                expect(await one.redis.pttl(name)).to.be.within(800_000, 900_000);
            }
        });

        it('knows no load that is not there, or is another model’s', async () => {
            const model = ollama.diskModel();
            const jobId = await begin(model);
            await followed(model, jobId);
            for (const url of [`${path(model)}/stream?jobId=${NOBODY}`, `${path('sandbox')}/stream?jobId=${jobId}`]) {
                expectError(await ada.call('GET', url), 'LOAD_NOT_FOUND');
            }
            expectError(await ada.call('GET', `${path('none')}/stream?jobId=${jobId}`), 'MODEL_NOT_FOUND');
        });

        it('takes a job id and a Last-Event-ID that are such', async () => {
            const url = `${path('sandbox')}/stream`;
            expectFaults(await ada.call('GET', url), ['jobId']);
            expectFaults(await ada.call('GET', `${url}?jobId=x`), ['jobId']);
            expectFaults(await ada.call('GET', `${url}?jobId=${NOBODY}&more=1`), ['more']);
            const headers = { 'last-event-id': '-1' };
            expectError(await ada.call('GET', `${url}?jobId=${NOBODY}`, { headers }), 'VALIDATION_ERROR');
            expectError(await one.call('GET', `${url}?jobId=${NOBODY}`), 'UNAUTHENTICATED');
        });
    });
});
