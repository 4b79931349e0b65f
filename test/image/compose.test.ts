import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';
import { Redis } from 'ioredis';

import { loadConfig } from '../../src/config.ts';
import { packageRoot } from '../../src/package-root.ts';
import { checkEviction } from '../../src/redis/client.ts';
import { composeFile, composeText, interpolated, makeSecrets, startComposeRedis } from '../helpers/compose.ts';
import { whyNoSandbox } from '../helpers/sandbox.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const SECRETS = ['JWT_KEYS', 'PLATFORM_ADMIN_PASSWORD', 'REDIS_PASSWORD', 'VAULT_KEYS'];
const services = Object.entries(composeFile().services);

describe('compose.yaml', () => {
    it('makes its secrets by the commands of its comment, and others each time', () => {
        const secrets = makeSecrets();
        expect(Object.keys(secrets).toSorted()).to.equal(SECRETS);
        const again = makeSecrets();
        expect(SECRETS.filter((name) => secrets[name] === again[name])).to.equal([]);
        expect(SECRETS.filter((name) => (secrets[name] ?? '').length < 32)).to.equal([]);
    });

    it('holds no secret itself, and does not start without one', () => {
        const secrets = makeSecrets();
        for (const name of SECRETS) {
            expect(() => interpolated(composeFile(), { ...secrets, [name]: '' })).to.throw(
                `${name}: make the secrets first, as compose.yaml says`,
            );
        }
        expect(readFileSync(join(packageRoot(), '.gitignore'), 'utf8').split('\n')).to.include('/.env');
    });

    it('gives API and worker settings that production accepts, of which no name is misspelt', () => {
        const { api, worker } = interpolated(composeFile(), makeSecrets()).services;
        for (const { environment } of [api, worker]) {
            const config = loadConfig({ NODE_ENV: 'production', DATA_DIR: '/data', ...environment });
            const { ROLE, REQUIRE_HTTPS, COOKIE_SECURE, REGISTRATION, SANDBOX_MODEL, WELCOME_CREDITS } = config;
            expect({ ROLE, REQUIRE_HTTPS, COOKIE_SECURE, REGISTRATION, SANDBOX_MODEL, WELCOME_CREDITS }).to.equal({
                ROLE: environment === api.environment ? 'api' : 'worker',
                REQUIRE_HTTPS: false,
                COOKIE_SECURE: false,
                REGISTRATION: 'open',
                SANDBOX_MODEL: true,
                WELCOME_CREDITS: 5,
            });
            expect(Object.keys(environment).filter((name) => !(name in config))).to.equal([]);
        }
    });

    it('takes images of named versions, the version of the project for its own', () => {
        const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
            version: string;
        };
        expect(services.map(([name, { image }]) => [name, image])).to.equal([
            ['api', `llm-api-layer:${version}`],
            ['worker', `llm-api-layer:${version}`],
            ['redis', 'redis:7.4-alpine'],
        ]);
    });

    for (const [name, service] of services) {
        it(`leaves ${name} no privileges, and nothing to write to but its data and /tmp`, () => {
            expect(service).to.include({
                read_only: true,
                tmpfs: ['/tmp'],
                cap_drop: ['ALL'],
                security_opt: ['no-new-privileges:true'],
            });
            const writable = service.volumes.filter((volume) => !volume.endsWith(':ro'));
            expect(writable.map((volume) => volume.split(':')[1])).to.equal(['/data']);
        });
    }

    it('lets nobody in but this machine, and to nothing but the API', () => {
        expect(services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port]))).to.equal([
            ['api', '127.0.0.1:3000:3000'],
        ]);
    });

    it('starts API and worker when Redis answers, and leaves them the time to finish', () => {
        const { api, worker } = interpolated(composeFile(), makeSecrets()).services;
        for (const { environment, depends_on: dependsOn, stop_grace_period: grace } of [api, worker]) {
            expect(dependsOn).to.equal({ redis: { condition: 'service_healthy' } });
            const { SHUTDOWN_TIMEOUT } = loadConfig(environment);
            expect(Number.parseInt(grace, 10)).to.be.above(SHUTDOWN_TIMEOUT);
        }
    });

    it('names in its comment a command that the image has', () => {
        const [, script = ''] = /docker compose exec api node dist\/(\S+)\.js/.exec(composeText()) ?? [];
        expect(script).to.equal('scripts/admin');
    });
});

describe('the Redis of compose.yaml', { skip: whyNoSandbox() !== '' }, () => {
    it('asks for the password, which no list of processes shows, and keeps data as ours does', async () => {
        const secrets = makeSecrets();
        const server = await startComposeRedis(secrets);
        expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).to.match(/^redis-server\b/);
        expect(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8')).to.not.contain(secrets.REDIS_PASSWORD ?? 'none');

        const stranger = new Redis(server.url.replace(/\/\/.*@/, '//'), { enableReadyCheck: false });
        stranger.on('error', () => undefined);
        await expect(stranger.get('a')).to.reject(/NOAUTH/);
        stranger.disconnect();

        const redis = new Redis(server.url);
        await checkEviction(redis, false);
        expect(await redis.config('GET', 'appendonly')).to.equal(['appendonly', 'yes']);
        expect(await redis.config('GET', 'dir')).to.equal(['dir', '/data']);
        redis.disconnect();
        expect((await server.stop()).code).to.equal(0);
    });
});
