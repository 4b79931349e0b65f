import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { connectRedis, type RedisClient } from '../../../src/redis/client.ts';
import { tenantKey } from '../../../src/redis/keys.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { freePort } from '../../helpers/free-ports.ts';
import { openQueue, DAYS, type TestQueue } from '../../helpers/jobs.ts';
import { launchProcess, startProcess, type TestProcess } from '../../helpers/process.ts';
import { startRedis, type TestRedis } from '../../helpers/redis.ts';
import { silentLogger } from '../../helpers/store.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const THREADS = 6_000;

describe('ROLE', () => {
    let redis: TestRedis;
    let client: RedisClient;
    let jobs: TestQueue;
    let environment: Record<string, string>;
    const running: TestProcess[] = [];

    const startApi = async (role: string) => {
        const program = await startProcess({ ...environment, ROLE: role });
        running.push(program);
        return program;
    };
    const startWorker = async () => {
        const program = launchProcess({ ...environment, ROLE: 'worker' });
        running.push(program);
        while (!program.output().stdout.includes('"working"')) await sleep(20);
        return program;
    };

    beforeEach(async () => {
        const port = String(await freePort());
        redis = await startRedis(['--port', port, '--bind', '127.0.0.1']);
        client = await connectRedis({ path: redis.path }, silentLogger);
        jobs = await openQueue(redis.path);
        environment = {
            DATA_DIR: temporaryFolder(),
            REDIS_URL: `redis://127.0.0.1:${port}`,
            JWT_KEYS: 'k1:a secret of a test that is long enough to be one',
            VAULT_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
        };
    });

    afterEach(async () => {
        await Promise.all(running.splice(0).map((program) => program.stop('SIGKILL')));
        await jobs.close();
        client.disconnect();
        await redis.stop();
    });

    const call = async (url: string, method: string, token: string, payload?: object) => {
        const response = await fetch(url, {
            method,
            headers: { 'content-type': 'application/json', ...(token !== '' && { authorization: `Bearer ${token}` }) },
            ...(payload && { body: JSON.stringify(payload) }),
        });
        // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
        return { status: response.status, body: (await response.json()) as any };
    };

    /** A tenant with a user that was deleted 31 days ago, and has more threads than a purge removes at once. */
    const deletedUser = async ({ url }: TestProcess) => {
        const [password, domain] = ['correct horse battery staple', 'acme.example'];
        const registration = { tenantName: 'Acme', domain, email: `ada@${domain}`, password };
        const { body } = await call(`${url}/api/auth/register`, 'POST', '', registration);
        const { accessToken: token, tenant } = body.data;
        const bob = { email: `bob@${domain}`, displayName: 'Bob', role: 'user', password };
        const created = await call(`${url}/api/users`, 'POST', token, bob);
        const userId = String(created.body.data.user.id);
        const tenantId = String(tenant.id);
        for (let n = 0; n < THREADS; n += 1_000) {
            const pipeline = client.pipeline();
            for (let m = n; m < n + 1_000; m++) {
                const fields = { id: `thread_${m}`, userId, revision: 1, messageCount: 0, models: '{}' };
                pipeline.hset(tenantKey(tenantId, 'thread', `thread_${m}`), fields);
                for (const order of ['created', 'updated']) {
                    pipeline.zadd(tenantKey(tenantId, 'user', userId, 'threads', order), m, `thread_${m}`);
                }
            }
            await pipeline.exec();
        }
        const { status } = await call(`${url}/api/users/${userId}`, 'DELETE', token);
        expect(status).to.equal(200);
        await client.hset(tenantKey(tenantId, 'user', userId), 'deletedAt', Date.now() - 31 * DAYS);
        const left = () => client.zcard(tenantKey(tenantId, 'user', userId, 'threads', 'created'));
        const exists = async () => (await client.exists(tenantKey(tenantId, 'user', userId))) === 1;
        return { token, tenantId, userId, left, exists };
    };

    it('decides who serves and who works; what a killed worker has begun another one finishes', async () => {
        const api = await startApi('api');
        const { tenantId, userId, left, exists } = await deletedUser(api);
        await jobs.promote();
        await sleep(300);
        expect([await left(), await exists()]).to.equal([THREADS, true]);

        const worker = await startWorker();
        expect(worker.url).to.equal('');
        while ((await left()) === THREADS) await sleep(1);
        await worker.stop('SIGKILL');
        const halfway = await left();
        expect(halfway).to.be.within(1, THREADS - 1);
        expect(await exists()).to.be.true();

        const other = await startWorker();
        while (await exists()) await sleep(50);
        expect(await client.keys(tenantKey(tenantId, 'thread', '*'))).to.equal([]);
        const keys = await client.keys(tenantKey(tenantId, `*${userId}*`));
        expect(keys).to.equal([]);
        expect(await other.stop('SIGTERM')).to.equal({ code: 0 });
        expect(other.output().stdout).to.include('job done');
        expect(other.output().stderr).to.equal('');
        expect(await api.stop('SIGTERM')).to.equal({ code: 0 });
    });

    it('all serves and works, and finishes its job before it stops', async () => {
        const program = await startApi('all');
        const { left, exists } = await deletedUser(program);
        await jobs.promote();
        while ((await left()) === THREADS) await sleep(1);
        expect(await program.stop('SIGTERM')).to.equal({ code: 0 });
        expect(await exists()).to.be.false();
        const messages = program
            .output()
            .stdout.trim()
            .split('\n')
            .map((line) => JSON.parse(line).msg as string);
        expect(messages).to.include('job done');
    });

    it('worker has repeating jobs done at their distances, by one of all workers', async () => {
        await Promise.all([startWorker(), startWorker()]);
        const found = await jobs.queue.getJobSchedulers();
        expect(Object.fromEntries(found.map(({ name, every }) => [name, every]))).to.equal({
            'keep-audit': 60_000,
            'keep-directory': 15_000,
            'reconcile-vms': 60_000,
            'roll-up-reports': 15_000,
            'seal-audit': 15_000,
            'sweep-backups': 15_000,
            'sweep-reports': 60_000,
            'sweep-tunnels': 15_000,
            'sweep-webhooks': 60_000,
        });
        expect(found).to.have.length(9);
    });
});
