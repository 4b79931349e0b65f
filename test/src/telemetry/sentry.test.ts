import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { openJobs } from '../../../src/jobs/jobs.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { openErrorReports } from '../../../src/telemetry/error-reports.ts';
import { scrub } from '../../../src/telemetry/scrub.ts';
import { startApp, testConfig } from '../../helpers/app.ts';
import { startCollector, type TestCollector } from '../../helpers/collector.ts';
import { startRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';
import { newTenant } from '../../helpers/tenant.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

describe('Sentry', () => {
    let collector: TestCollector;

    beforeEach(async () => {
        collector = await startCollector();
    });

    afterEach(() => collector.stop());

    it('is told of an unexpected error: what, where and for whom, and no contents', async () => {
        const reports = await openErrorReports(testConfig({ SENTRY_DSN: collector.dsn }));
        const app = await startApp({ errorReports: reports });
        const ada = await newTenant(app);
        await app.redis.hset(tenantKey(ada.tenantId, 'user', ada.userId), 'role', 'no-such-role');
        const headers = { 'x-request-id': 'req-of-this-test' };
        const failed = await app.call('POST', '/api/login', {
            headers,
            payload: { email: ada.email, password: ada.password },
        });
        const refused = await app.call('GET', '/api/auth/me', { token: 'x' });
        expect([failed.status, refused.status]).to.equal([500, 401]);
        await app.stop();
        await reports.close();

        expect(collector.events()).to.have.length(1);
        const [event] = collector.events();
        expect(event.tags).to.include({ module: 'http', requestId: 'req-of-this-test' });
        expect(event).to.include({ environment: 'test' });
        for (const part of ['request', 'breadcrumbs', 'extra', 'contexts', 'server_name']) {
            expect(event[part], part).to.be.undefined();
        }
        for (const secret of [ada.password, ada.email, ada.refreshToken]) {
            expect(collector.texts.join('')).not.to.include(secret);
        }
    });

    it('knows the user and the tenant where they are known, and failed jobs', async () => {
        const reports = await openErrorReports(testConfig({ SENTRY_DSN: collector.dsn }));
        const redis = await startRedis();
        const app = await startApp({ errorReports: reports, redisPath: redis.path, worker: true });
        const ada = await newTenant(app);
        const key = tenantKey(ada.tenantId, 'events');
        await app.redis.del(key);
        await app.redis.set(key, 'in the way');
        const { status } = await ada.call('POST', '/api/threads', { payload: { title: 'A secret title' } });
        expect(status).to.equal(500);
        const jobs = openJobs({ path: redis.path }, silentLogger);
        await jobs.add('no-such-job', { tenantId: ada.tenantId, requestId: 'req-of-this-job' });
        await jobs.close();
        while (collector.events().length < 2) await new Promise((resolve) => setTimeout(resolve, 10));
        await app.stop();
        await redis.stop();
        await reports.close();
        const [first, second] = collector.events();
        expect(first.exception.values[0].stacktrace.frames).not.to.be.empty();
        expect(collector.texts.join('')).not.to.include('A secret title');
        expect(first.tags.tenantId).to.equal(ada.tenantId);
        expect(first.user).to.equal({ id: ada.userId });
        expect(second.tags).to.equal({
            module: 'jobs',
            job: 'no-such-job',
            tenantId: ada.tenantId,
            requestId: 'req-of-this-job',
        });
    });

    it('is not waited for when it is away', async () => {
        await collector.stop();
        const reports = await openErrorReports(testConfig({ SENTRY_DSN: collector.dsn }));
        reports.report(new Error('A failure'), { module: 'test' });
        await reports.close();
    });
});

describe('scrub', () => {
    it('takes values and credentials out of a message, and leaves the rest', () => {
        const long = 'aB3-'.repeat(12);
        const cases: [string, string][] = [
            ['"data.role" with value "hunter2" fails to match', '"data.role" with value […] fails to match'],
            ['Unexpected token h, "{"a":"hunter2"" is not valid JSON', 'Unexpected token h, […] is not valid JSON'],
            ['connect redis://default:hunter2@10.0.0.1:6379 failed', 'connect redis://[…]@10.0.0.1:6379 failed'],
            ['GET https://x.example/a?key=hunter2 failed', 'GET https://x.example/a?[…] failed'],
            ['Bearer hunter2 refused', 'Bearer […] refused'],
            ['key sk-ant-hunter2hunter2 refused', 'key sk-[…] refused'],
            ['secret whsec_aHVudGVyMmh1bnRlcjI= refused', 'secret whsec_[…] refused'],
            [`token ${long} refused`, 'token […] refused'],
            ['eyJhbGciOi.eyJzdWIi.c2ln refused', '[…] refused'],
            ['tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC is offline', 'tun_01K9ZQ4V7N8M3T5R2W6X1Y0ABC is offline'],
        ];
        for (const [message, expected] of cases) expect(scrub(message)).to.equal(expected);
    });
});
