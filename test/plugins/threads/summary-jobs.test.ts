import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { settingsOf } from '../../../plugins/tenants/api.ts';
import { createSummaryTrigger } from '../../../plugins/threads/summary-jobs.ts';
import { Background } from '../../../src/background.ts';
import { Drain } from '../../../src/drain.ts';
import { openJobs, PREFIX, type JobData } from '../../../src/jobs/jobs.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { openQueue, type TestQueue } from '../../helpers/jobs.ts';
import { keyOf, startWithProvider } from '../../helpers/provider-keys.ts';
import { hold } from '../../helpers/provider.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { chunk, END } from '../../helpers/remote-model.ts';
import { answerWithSummaries, asksForSummary, converse, summaryPath, summaryRequests } from '../../helpers/summary.ts';
import { newTenant, platformToken, type TestTenant } from '../../helpers/tenant.ts';
import { messagesPath, newThread } from '../../helpers/thread.ts';
import { newUser, setUserField } from '../../helpers/user.ts';

import type { CallContext } from '../../../plugins/threads/store.ts';
import type { TestApp } from '../../helpers/app.ts';
import type { Provider, ProviderAnswer } from '../../helpers/provider.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const until = async (isTrue: () => Promise<boolean> | boolean) => {
    while (!(await isTrue())) await sleep(10);
};

describe('summaries after a number of messages', () => {
    let redis: TestRedis;
    let app: TestApp;
    let jobs: TestQueue;
    let provider: Provider;
    let ada: TestTenant;
    let thread: string;

    beforeEach(async () => {
        redis = await startRedis();
        ({ app, provider } = await startWithProvider({
            redisPath: redis.path,
            worker: true,
            config: { PROVIDER_KEYS_SHARED: { openai: 'shared-key' } },
        }));
        jobs = await openQueue(redis.path);
        answerWithSummaries(provider);
        ada = await newTenant(app);
        thread = await newThread(ada);
    });

    afterEach(async () => {
        await app.stop();
        await jobs.close();
        await provider.stop();
        await redis.stop();
    });

    const talk = (...contents: string[]) => converse(ada, messagesPath(thread, 'remote'), contents);
    const choose = (summarizationInterval: number) =>
        ada.call('PATCH', '/api/profile', { payload: { settings: { summarizationInterval } } });
    const summary = async () => (await ada.call('GET', summaryPath(thread, 'remote'))).body.data?.summary ?? null;
    const done = (count: number) => until(async () => (await jobs.queue.getCompletedCount()) === count);
    /** What the provider was asked last. */
    const asked = (): { content: string }[] => provider.requests.at(-1)?.body.messages;
    const texts = () => asked().map(({ content }) => content);
    const made = async () => {
        const entries = await app.redis.xrange(tenantKey(ada.tenantId, 'events'), '-', '+');
        return entries.filter(([, fields]) => fields.includes('thread.summarized')).length;
    };
    /** Fails calls for a summary, and answers all others. */
    const failSummaries = (failure: ProviderAnswer) =>
        provider.answer((request) => (asksForSummary(request) ? failure : { steps: [chunk('Fine'), END] }));
    const dataOf = (): JobData => ({
        tenantId: ada.tenantId,
        userId: ada.userId,
        threadId: thread,
        modelId: 'remote',
        requestId: 'req_of_the_test',
    });
    const inTurn = (data = dataOf()) => app.server.plugins.threads.summarizeInTurn(data);

    it('are made by a worker after ten, and go along with the next message', async () => {
        await talk('1', '2', '3', '4');
        await jobs.settled();
        expect(summaryRequests(provider)).to.be.empty();
        await talk('5');
        await done(1);
        expect(await summary()).to.equal('Summary 1');
        await talk('6');
        expect(texts()).to.equal(['Summary of the conversation so far: Summary 1', '4', 'Fine', '5', 'Fine', '6']);
        expect(await jobs.queue.getJobCountByTypes('waiting', 'active', 'delayed', 'completed', 'failed')).to.equal(1);
    });

    it('are made after as many as the user chose, again and again, each from the one before', async () => {
        await choose(4);
        await talk('1', '2');
        await done(1);
        await talk('3', '4');
        await done(2);
        expect(await summary()).to.equal('Summary 2');
        expect(summaryRequests(provider)[1]?.body.messages[1].content).to.equal(
            'Earlier summary:\nSummary 1\n\nMessages:\nuser: 3\n\nassistant: Fine\n\nuser: 4\n\nassistant: Fine',
        );
    });

    it('are jobs of ids only, tried three times', async () => {
        await choose(2);
        await talk('A private message');
        await done(1);
        const [job] = await jobs.queue.getCompleted();
        const { requestId, ...ids } = job?.data ?? { requestId: '' };
        expect(ids).to.equal({ tenantId: ada.tenantId, userId: ada.userId, threadId: thread, modelId: 'remote' });
        expect(requestId).to.match(/^req_/);
        expect(job?.opts.attempts).to.equal(3);
        expect(job?.id).to.contain(`summarize-${thread}-`);
    });

    it('are asked for with the user’s own key', async () => {
        await ada.call('POST', '/api/profile/api-keys', { payload: { openai: 'a-key-of-ada' } });
        answerWithSummaries(provider);
        await choose(2);
        await talk('1');
        await done(1);
        expect(summaryRequests(provider).map(keyOf)).to.equal(['a-key-of-ada']);
    });

    it('leave what comes meanwhile to the next one', async () => {
        await choose(4);
        const writing = hold();
        failSummaries({ steps: [writing, chunk('Summary 1'), END] });
        await talk('1', '2');
        await writing.reached;
        await talk('3');
        writing.release();
        await done(1);
        expect(summaryRequests(provider)[0]?.body.messages[1].content).to.not.include('user: 3');
        await talk('4');
        expect(texts().slice(-3)).to.equal(['3', 'Fine', '4']);
        await done(2);
        expect(summaryRequests(provider)[1]?.body.messages[1].content).to.match(
            /^Earlier summary:\nSummary 1\n\nMessages:\nuser: 3/,
        );
    });

    it('that fail do not touch the answer, are tried three times, and are due again after as many messages', async () => {
        await choose(4);
        failSummaries({ status: 429, steps: ['{}'] });
        await talk('1', '2');
        for (const tries of [1, 2]) {
            await until(async () => (await jobs.delayed()).some(({ attemptsMade }) => attemptsMade === tries));
            await jobs.promote();
        }
        await until(async () => (await jobs.queue.getFailedCount()) === 1);
        expect(await summary()).to.be.null();
        answerWithSummaries(provider);
        await talk('3');
        expect(texts()).to.equal(['1', 'Fine', '2', 'Fine', '3']);
        expect(await jobs.queue.getCompletedCount()).to.equal(0);
        await talk('4');
        await done(1);
        expect(await summary()).to.equal('Summary 1');
    });

    it('are not tried again with a key that is not good', async () => {
        await choose(2);
        failSummaries({ status: 401, steps: ['{}'] });
        await talk('1');
        await done(1);
        expect(await summary()).to.be.null();
        const line = app.logs.find(({ msg }) => msg === 'A conversation was not summarised');
        expect(line).to.include({ level: 40, threadId: thread, code: 'PROVIDER_KEY_INVALID' });
    });

    it('never touch the answer when the queue does not work', async () => {
        await app.redis.set(`${PREFIX}:maintenance:wait`, 'not a list');
        await app.redis.set(`${PREFIX}:maintenance:marker`, 'not a set');
        await choose(2);
        const { body } = await talk('1');
        expect(body.data.assistantMessage).to.include({ content: 'Fine', status: 'complete' });
        await until(() => app.logs.some(({ msg }) => msg === 'Work in the background failed'));
        const line = app.logs.find(({ msg }) => msg === 'Work in the background failed');
        expect(line).to.include({ level: 40, module: 'threads', requestId: body.requestId });
        await app.redis.del(`${PREFIX}:maintenance:wait`, `${PREFIX}:maintenance:marker`);
        await talk('2');
        await done(1);
        expect(await summary()).to.equal('Summary 1');
    });

    it('are made once by five workers at once, and not again by the same job', async () => {
        await choose(10);
        await talk('1', '2');
        await choose(4);
        const writing = hold();
        let begun = 0;
        provider.answer(() => {
            if (++begun === 5) writing.release();
            return { steps: [writing, chunk(`Summary ${begun}`), END] };
        });
        await Promise.all(Array.from({ length: 5 }, () => inTurn()));
        expect([begun, await made()]).to.equal([5, 1]);
        await inTurn();
        expect([begun, await made()]).to.equal([5, 1]);
    });

    it('are not made of what a summary covers that was asked for meanwhile', async () => {
        await choose(4);
        await talk('1');
        await ada.call('POST', summaryPath(thread, 'remote').replace(/y$/, 'ize'));
        await talk('2');
        await inTurn();
        expect(await summary()).to.equal('Summary 1');
    });

    describe('when its turn comes too late', () => {
        let data: JobData;

        beforeEach(async () => {
            await talk('1', '2');
            await choose(4);
            data = dataOf();
        });

        const expectNothing = async () => {
            await inTurn(data);
            expect(summaryRequests(provider)).to.be.empty();
            expect(await made()).to.equal(0);
            expect(app.logs.some(({ msg }) => msg === 'A conversation was not summarised')).to.be.false();
        };

        it('is made in time', async () => {
            await inTurn(data);
            expect(await made()).to.equal(1);
        });

        it('does nothing for a suspended tenant', async () => {
            const token = await platformToken(app);
            const url = `/api/admin/tenants/${ada.tenantId}/suspend`;
            expect((await app.call('POST', url, { token, payload: { reason: 'Overdue' } })).status).to.equal(200);
            await expectNothing();
        });

        it('does nothing for a user who is not active', async () => {
            await setUserField(app, ada.tenantId, ada.userId, 'isActive', '0');
            await expectNothing();
        });

        it('does nothing for a user, tenant, thread or model that is gone', async () => {
            const whole = data;
            for (const gone of ['userId', 'tenantId', 'threadId', 'modelId']) {
                data = { ...whole, [gone]: 'gone' };
                await expectNothing();
            }
        });

        it('does nothing for somebody else’s thread', async () => {
            const bob = await newUser(app, ada.tenantId, 'user');
            data = { ...data, userId: bob.userId };
            await expectNothing();
        });

        it('does nothing for a thread that was deleted', async () => {
            await ada.call('DELETE', `/api/threads/${thread}`);
            await expectNothing();
            expect(await app.redis.keys(tenantKey(ada.tenantId, `*${thread}*`))).to.equal([]);
        });
    });
});

describe('the trigger of a summary', () => {
    const PLACE = { tenantId: 't1', ownerId: 'u1', threadId: 'thread_1', modelId: 'local/model:7b' };
    const context = (total: number, summary: CallContext['summary'] = null): CallContext => ({
        messages: [],
        total,
        summary,
        uncovered: 0,
        profile: [],
        sealedKeys: {},
        settings: settingsOf(null),
    });
    const profile = {
        callDefaults: () => ({ systemPrompt: null, defaultTemperature: null, summarizationInterval: 10 }),
    };
    let redis: TestRedis;
    let logs: Record<string, unknown>[];

    beforeEach(async () => {
        redis = await startRedis();
        logs = [];
    });

    afterEach(() => redis.stop());

    const start = (path: string) => {
        const destination = { write: (line: string) => void logs.push(JSON.parse(line) as Record<string, unknown>) };
        const logger = createLogger({ level: 'info', pretty: false, destination });
        const jobs = openJobs({ path }, logger);
        const drain = new Drain();
        return {
            tell: createSummaryTrigger({ jobs, background: new Background(drain, logger), profile }),
            /** Waits for the work, then for the queue. */
            close: async () => {
                await drain.finish(AbortSignal.timeout(20_000));
                await jobs.close();
            },
        };
    };

    it('is one job, however often it is told', async () => {
        const queue = await openQueue(redis.path);
        const { tell, close } = start(redis.path);
        for (let n = 0; n < 20; n++) tell(PLACE, context(8 + (n % 10)), true, 'req_1');
        await close();
        const waiting = await queue.queue.getWaiting();
        expect(waiting.map(({ name }) => name)).to.equal(['summarize-thread']);
        expect(waiting[0]?.id).to.match(/^summarize-thread_1-[0-9a-f]{16}-0-1$/);
        await queue.close();
    });

    it('is another job for another model, a later summary, and again after as many messages', async () => {
        const queue = await openQueue(redis.path);
        const { tell, close } = start(redis.path);
        const summary = { text: '', tokens: 0, generatedAt: '', modelUsed: '', upTo: '17-0', count: 10 };
        tell(PLACE, context(10), false, 'req_1');
        tell({ ...PLACE, modelId: 'other' }, context(10), false, 'req_1');
        tell(PLACE, context(20, summary), false, 'req_1');
        tell(PLACE, context(20), false, 'req_1');
        await close();
        const ids = (await queue.queue.getWaiting()).map(({ id }) => String(id).replace(/-[0-9a-f]{16}-/, ' '));
        expect(ids.toSorted((a, b) => (a < b ? -1 : 1))).to.equal([
            'summarize-thread_1 0-1',
            'summarize-thread_1 0-1',
            'summarize-thread_1 0-2',
            'summarize-thread_1 17-0-1',
        ]);
        await queue.close();
    });

    it('waits for enough messages that are not covered', async () => {
        const queue = await openQueue(redis.path);
        const { tell, close } = start(redis.path);
        const summary = { text: '', tokens: 0, generatedAt: '', modelUsed: '', upTo: '17-0', count: 100 };
        tell(PLACE, context(7), true, 'req_1');
        tell(PLACE, context(9), false, 'req_1');
        tell(PLACE, context(107, summary), true, 'req_1');
        await close();
        expect(await queue.queue.getWaitingCount()).to.equal(0);
        await queue.close();
    });

    it('is only told to the log while Redis is away', async () => {
        const { tell, close } = start(`${redis.path}.none`);
        tell(PLACE, context(10), true, 'req_1');
        await close();
        expect(logs.map(({ msg, requestId }) => [msg, requestId])).to.include([
            ['Work in the background failed', 'req_1'],
        ]);
    });
});
