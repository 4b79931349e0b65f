import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { packageRoot } from '../../src/package-root.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { freePort } from '../helpers/free-ports.ts';
import { hasKubectl, render } from '../helpers/kubernetes.ts';
import { environmentOf, newSecrets } from '../helpers/pod-environment.ts';
import { launchProcess, type TestProcess } from '../helpers/process.ts';
import { startRedis, type TestRedis } from '../helpers/redis.ts';
import { mainOf, named, type Labels, type Probe, type Workload } from '../helpers/workloads.ts';

export const lab = Lab.script();
const { describe, it, before, after } = lab;

const PASSWORD = 'the-password-of-redis';

describe('The pod of Redis', { skip: !hasKubectl }, () => {
    it('answers its probes, keeps what it is given, and asks for the password', async () => {
        const {
            command = [],
            args = [],
            readinessProbe,
            startupProbe,
        } = mainOf(named<Workload>(render('overlays/production'), 'StatefulSet', 'redis'));
        const [file = '', ...more] = command;
        const port = await freePort();
        const given = [...more, ...args].map((arg) =>
            arg
                .replace('/etc/redis', join(packageRoot(), 'k8s/base/common'))
                .replace(/^\/data$/, temporaryFolder())
                .replace('$(REDIS_PASSWORD)', PASSWORD),
        );
        const server = spawn(file, [...given, '--port', String(port)], { stdio: 'ignore' });
        const ping = (environment: Labels): Promise<boolean> => {
            const [cli = '', ...words] = readinessProbe?.exec?.command ?? [];
            const env = { PATH: process.env.PATH ?? '', ...environment };
            return new Promise((resolve) => {
                execFile(cli, ['-p', String(port), ...words], { env }, (error) => resolve(error === null));
            });
        };
        expect(startupProbe?.exec).to.equal(readinessProbe?.exec);
        while (!(await ping({ REDISCLI_AUTH: PASSWORD }))) await sleep(50);
        expect(await ping({})).to.be.false();
        const redis = new Redis({ port, password: PASSWORD });
        const settings = ['maxmemory', 'maxmemory-policy', 'appendonly'].map(async (name) => redis.config('GET', name));
        expect(await Promise.all(settings)).to.equal([
            ['maxmemory', '1073741824'],
            ['maxmemory-policy', 'noeviction'],
            ['appendonly', 'yes'],
        ]);
        redis.disconnect();
        const ended = once(server, 'exit');
        server.kill('SIGTERM');
        expect((await ended)[0]).to.equal(0);
    });
});

describe('A pod of production', { skip: !hasKubectl }, () => {
    const manifests = hasKubectl ? render('overlays/production') : [];
    const secrets = newSecrets();
    let redis: TestRedis;
    let redisUrl: string;

    before(async () => {
        const port = await freePort();
        redis = await startRedis(['--port', String(port), '--user', 'pod', 'on', `>${PASSWORD}`, '~*', '&*', '+@all']);
        redisUrl = `redis://127.0.0.1:${port}`;
    });

    after(() => redis?.stop());

    /** Runs what the pod would, on free ports of this machine; gives also the ports by their names. */
    async function startPod(name: string): Promise<{ program: TestProcess; ports: Labels; probes: Probe[] }> {
        const container = mainOf(named<Workload>(manifests, 'Deployment', name));
        const { startupProbe, livenessProbe, readinessProbe } = container;
        const [http, internal, metrics] = [await freePort(), await freePort(), await freePort()].map(String);
        const program = launchProcess({
            ...environmentOf(manifests, container, secrets, PASSWORD),
            DATA_DIR: temporaryFolder(),
            REDIS_URL: redisUrl,
            REDIS_USERNAME: 'pod',
            HOST: '127.0.0.1',
            INTERNAL_HOST: '127.0.0.1',
            PORT: http ?? '',
            INTERNAL_PORT: internal ?? '',
            METRICS_PORT: metrics ?? '',
        });
        const probes = [startupProbe, livenessProbe, readinessProbe].filter((probe) => probe !== undefined);
        return { program, ports: { http: http ?? '', metrics: metrics ?? '' }, probes };
    }

    const ask = (ports: Labels, { path, port }: { path: string; port: string }, headers: Labels = {}) =>
        fetch(`http://127.0.0.1:${ports[port]}${path}`, { headers });

    for (const name of ['api', 'worker']) {
        it(`answers its probes and Prometheus as the ${name} has them, and ends when told`, async () => {
            const { program, ports, probes } = await startPod(name);
            let hasEnded = false;
            void program.exit.then(() => (hasEnded = true));
            const isReady = async (probe: Probe) =>
                (await ask(ports, probe.httpGet ?? { path: '', port: '' }).catch(() => null))?.status === 200;
            for (const probe of probes) {
                while (!hasEnded && !(await isReady(probe))) await sleep(50);
                expect(hasEnded, JSON.stringify(program.output())).to.be.false();
            }
            expect(probes.length).to.equal(3);
            const metrics = { path: '/metrics', port: 'metrics' };
            const authorization = `Bearer ${secrets.METRICS_TOKEN}`;
            expect((await ask(ports, metrics)).status).to.equal(401);
            expect((await ask(ports, metrics, { authorization })).status).to.equal(200);
            if (name === 'api') {
                const refused = async (headers?: Labels): Promise<string> => {
                    const answer = await ask(ports, { path: '/api/models', port: 'http' }, headers);
                    return ((await answer.json()) as { error: { code: string } }).error.code;
                };
                expect(await refused()).to.equal('HTTPS_REQUIRED');
                // As a gateway says, and an operator by a port-forward.
                expect(await refused({ 'x-forwarded-proto': 'https' })).to.equal('UNAUTHENTICATED');
            }
            const { code } = await program.stop();
            expect(code).to.equal(0);
        });
    }
});
