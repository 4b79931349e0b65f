import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { startApp, type Answer, type TestApp } from '../../helpers/app.ts';
import { readAudit } from '../../helpers/audit.ts';
import { expectError } from '../../helpers/expect-error.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';
import { newTenant, type TestTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

/** What the contract promises, in milliseconds. */
const PROMISED = 2_000;
/** Well below the 30 s of a request: a command that is never answered must not hold it. */
const SLOW_MACHINE = 10_000;

/** Asks until the answers come in time, a few times at most: what is waited for each time never does. */
async function soonest(ask: () => Promise<Answer[]>, limit: number): Promise<{ answers: Answer[]; took: number }> {
    for (let tries = 1; ; tries++) {
        const start = performance.now();
        const answers = await ask();
        const took = performance.now() - start;
        if (took < limit || tries === 3) return { answers, took };
    }
}

describe('requests while Redis is away', () => {
    let redis: RestartableRedis;
    let app: TestApp;
    let tenant: TestTenant;

    /** One request of each kind: with a credential, public with a limit, optional credential. */
    const requests = (): Promise<Answer[]> =>
        Promise.all([
            tenant.call('GET', '/api/auth/me'),
            tenant.call('POST', '/api/login', { payload: { email: tenant.email, password: tenant.password } }),
            tenant.call('POST', '/api/auth/refresh', { payload: { refreshToken: tenant.refreshToken } }),
            tenant.call('POST', '/api/logout'),
            ...guesses().map(([path, payload]) => app.call('POST', path, { payload })),
        ]);

    /** Public requests that would try a password or a token: without their limit they are not served. */
    const guesses = (): [path: string, payload: object][] => {
        const { email, password } = tenant;
        const domain = 'another.example';
        return [
            ['/api/auth/login', { email, password }],
            ['/api/auth/register', { tenantName: 'Another', domain, email: `ada@${domain}`, password }],
            ['/api/auth/password/forgot', { email }],
            [
                '/api/auth/password/reset',
                { token: `pr1.${tenant.tenantId}.${tenant.userId}.x`, newPassword: 'another good password' },
            ],
        ];
    };

    /** The public reads, which are served without their limit. */
    const expectReads = async (limit: number) => {
        const from = '192.0.2.7';
        const ask = () =>
            Promise.all([
                app.call('GET', '/api/health', { from }),
                // One more than the limit.
                ...Array.from({ length: 61 }, () => app.call('GET', '/api/errors', { from })),
            ]);
        const { answers, took } = await soonest(ask, limit);
        const [health, ...lists] = answers as [Answer, ...Answer[]];
        expect(took).to.be.below(limit);
        expect([health.status, health.body.data.status]).to.equal([200, 'unhealthy']);
        expect(health.body.data.services.database).to.include({ status: 'unhealthy', latency: null });
        expect(health.headers).to.not.include('x-ratelimit-limit');
        expect(lists.every(({ status, body }) => status === 200 && body.data.errors.length > 10)).to.be.true();
    };

    const expectAway = async (limit: number) => {
        const { answers, took } = await soonest(requests, limit);
        expect(took).to.be.below(limit);
        for (const answer of answers) {
            expectError(answer, 'STORE_UNAVAILABLE');
            expect(answer.headers['retry-after']).to.equal('2');
        }
        return answers;
    };

    const untilBack = async () => {
        while ((await tenant.call('GET', '/api/auth/me')).status === 503) await sleep(20);
    };

    beforeEach(async () => {
        redis = new RestartableRedis();
        await redis.start();
        app = await startApp({ redisPath: redis.path, isImpatient: true });
        tenant = await newTenant(app);
    });

    afterEach(async () => {
        await app.stop();
        await redis.remove();
    });

    it('are told so at once, and served again when it is back, without a restart', async () => {
        await redis.kill();
        await expectAway(PROMISED);
        await redis.start();
        await untilBack();
        const { status, body } = await tenant.call('GET', '/api/auth/me');
        expect(status).to.equal(200);
        expect(body.data.user.id).to.equal(tenant.userId);
        // What was refused is not done afterwards: no login, no refresh, no logout.
        expect((await readAudit(app, tenant.tenantId)).map(({ action }) => action)).to.equal(['auth.register']);
        // The session that nobody could end meanwhile is alive, and the scripts that Redis has forgotten run again.
        const { refreshToken } = tenant;
        expect((await tenant.call('POST', '/api/auth/refresh', { payload: { refreshToken } })).status).to.equal(200);
        expect((await tenant.call('POST', '/api/logout')).status).to.equal(200);
        expectError(await tenant.call('GET', '/api/auth/me'), 'SESSION_ENDED');
    });

    it('are told so as well when it is there and does not answer', async () => {
        redis.hang();
        await expectAway(SLOW_MACHINE);
        redis.resume();
        await untilBack();
        const { email, password } = tenant;
        const login = await app.call('POST', '/api/login', { payload: { email, password } });
        expect(login.status).to.equal(200);
    });

    it('are served where they are public and only read', async () => {
        await redis.kill();
        await expectReads(PROMISED);
        await redis.start();
        await untilBack();
        const from = '192.0.2.7';
        const answers: Answer[] = [];
        for (let tries = 0; tries < 11; tries++) answers.push(await app.call('GET', '/api/health', { from }));
        // Nothing was counted meanwhile; now everything is.
        expect(answers[0]?.headers).to.include({ 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '9' });
        expect(answers[0]?.body.data.services.database.status).to.equal('healthy');
        expectError(answers.at(-1) as Answer, 'RATE_LIMITED');
        redis.hang();
        await expectReads(SLOW_MACHINE);
        redis.resume();
    });

    it('leave the reason in the log, and the process logs that Redis went and came', async () => {
        await redis.kill();
        const [answer] = await expectAway(PROMISED);
        const line = app.logs.find(({ requestId, level }) => requestId === answer?.body.requestId && level === 40);
        expect(line?.err).to.be.an.object();
        const logged = (text: string) => app.logs.some(({ module, msg }) => module === 'redis' && msg === text);
        while (!logged('Redis connection failed')) await sleep(20);
        await redis.start();
        await untilBack();
        expect(logged('Redis is back')).to.be.true();
    });
});
