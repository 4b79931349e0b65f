import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { loadConfig } from '../../src/config.ts';
import { packageRoot } from '../../src/package-root.ts';
import { faultsOf, JWT_SECRET, KEYS, VAULT_SECRET } from '../helpers/config.ts';
import { temporaryFolder } from '../helpers/folder.ts';

export const lab = Lab.script();
const { describe, it } = lab;

const PRODUCTION = { NODE_ENV: 'production', PLATFORM_ADMIN_PASSWORD: 'a long enough one', ...KEYS };

describe('loadConfig', () => {
    const defaults = {
        NODE_ENV: 'development',
        OTEL_SERVICE_NAME: 'llm-api-layer',
        OTEL_TRACES_SAMPLER_ARG: 1,
        HOST: '127.0.0.1',
        PORT: 3000,
        DATA_DIR: resolve('data'),
        REDIS_ALLOW_EVICTION: false,
        REDIS_SENTINEL_NAME: 'mymaster',
        REDIS_TLS: false,
        REDIS_WAIT_REPLICAS: 0,
        ROLE: 'all',
        REGISTRATION: 'open',
        PLATFORM_ADMIN_EMAIL: 'admin@platform.local',
        ACCESS_TOKEN_TTL: 900,
        REFRESH_TOKEN_TTL: 604_800,
        BCRYPT_COST: 12,
        COOKIE_SECURE: false,
        CORS_ORIGINS: [],
        TRUSTED_PROXIES: [],
        REQUIRE_HTTPS: false,
        LOG_LEVEL: 'info',
        LOG_PRETTY: process.stdout.isTTY === true,
        DOCS: true,
        CONSOLE: true,
        METRICS: true,
        METRICS_PORT: 0,
        ANTHROPIC_BASE_URL: 'https://api.anthropic.com',
        OPENAI_BASE_URL: 'https://api.openai.com/v1',
        GOOGLE_BASE_URL: 'https://generativelanguage.googleapis.com',
        OLLAMA_URL: 'http://127.0.0.1:11434',
        OLLAMA_PULL: true,
        PROVIDER_KEYS_SHARED: {},
        SANDBOX_MODEL: true,
        SANDBOX_TOKEN_DELAY_MS: 0,
        GENERATION_QUEUE_MS: 2_000,
        VM_DRIVER: 'simulator',
        VM_IMAGES: ['ubuntu-22.04', 'ubuntu-24.04', 'debian-12', 'debian-13', 'fedora-42'],
        VM_ADDRESS_RANGE: '10.64.0.0/16',
        VM_SIMULATOR_DELAY_MS: 1_500,
        INTERNAL_PORT: 0,
        SHUTDOWN_TIMEOUT: 30,
        SHUTDOWN_DELAY: 0,
        BUILD_TIME: null,
    };

    it('has a default for everything in development', () => {
        const config = loadConfig(KEYS);
        expect(config).to.include(defaults as never);
        for (const name of ['REDIS_URL', 'PLATFORM_ADMIN_PASSWORD', 'CATALOGUE_FILE']) {
            expect(config).to.not.include(name as never);
        }
    });

    it('is stricter in production', () => {
        expect(loadConfig(PRODUCTION)).to.include({
            ...defaults,
            NODE_ENV: 'production',
            HOST: '0.0.0.0',
            REGISTRATION: 'closed',
            PLATFORM_ADMIN_PASSWORD: 'a long enough one',
            COOKIE_SECURE: true,
            REQUIRE_HTTPS: true,
            OLLAMA_PULL: false,
            SANDBOX_MODEL: false,
            SHUTDOWN_DELAY: 5,
        } as never);
    });

    it('takes requests for a part of the time that it has to stop', () => {
        expect(loadConfig({ ...PRODUCTION, SHUTDOWN_TIMEOUT: '3' }).SHUTDOWN_DELAY).to.equal(1);
        expect(loadConfig({ ...KEYS, SHUTDOWN_DELAY: '20' }).SHUTDOWN_DELAY).to.equal(20);
        expect(faultsOf({ SHUTDOWN_DELAY: '30' })).to.equal(['SHUTDOWN_DELAY must be less than SHUTDOWN_TIMEOUT']);
    });

    it('takes what the environment says, an empty value being none', () => {
        const config = loadConfig({
            ...KEYS,
            PORT: '8080',
            HOST: 'localhost',
            DATA_DIR: 'some/where',
            REDIS_URL: 'rediss://redis.example:6380/1',
            PLATFORM_ADMIN_EMAIL: 'Ada@Acme.Example',
            CORS_ORIGINS: 'https://a.example, https://b.example,',
            TRUSTED_PROXIES: '10.0.0.0/8, 2001:db8::/32,192.0.2.1',
            REQUIRE_HTTPS: 'true',
            SMTP_URL: 'smtps://user:pass@mail.example:465',
            MAIL_FROM: 'Acme <no-reply@acme.example>',
            DOCS: 'off',
            CONSOLE: 'off',
            OLLAMA_PULL: 'off',
            SANDBOX_MODEL: 'on',
            LOG_PRETTY: 'true',
            PROVIDER_KEYS_SHARED: 'anthropic=sk-a=b, google=key',
            BUILD_TIME: '2026-11-20T10:30:00.000Z',
            REGISTRATION: '',
        });
        expect(config).to.include({
            PORT: 8080,
            HOST: 'localhost',
            DATA_DIR: resolve('some/where'),
            REDIS_URL: 'rediss://redis.example:6380/1',
            PLATFORM_ADMIN_EMAIL: 'ada@acme.example',
            CORS_ORIGINS: ['https://a.example', 'https://b.example'],
            TRUSTED_PROXIES: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'],
            REQUIRE_HTTPS: true,
            SMTP_URL: 'smtps://user:pass@mail.example:465',
            MAIL_FROM: 'Acme <no-reply@acme.example>',
            DOCS: false,
            CONSOLE: false,
            OLLAMA_PULL: false,
            SANDBOX_MODEL: true,
            LOG_PRETTY: true,
            PROVIDER_KEYS_SHARED: { anthropic: 'sk-a=b', google: 'key' },
            REGISTRATION: 'open',
        });
        expect(config.JWT_KEYS.newest).to.equal({ id: 'k1', secret: Buffer.from(JWT_SECRET) });
        expect(config.VAULT_KEYS.newest).to.equal({ id: 'k1', secret: Buffer.from(VAULT_SECRET, 'base64') });
    });

    it('cannot be changed', () => {
        expect(loadConfig(KEYS)).to.satisfy(Object.isFrozen);
    });

    it('lets a process of one role share a Redis, and not keep one for itself', () => {
        const [fault] = faultsOf({ ROLE: 'worker' });
        expect(fault).to.equal(
            'ROLE must be all without REDIS_URL or REDIS_SENTINELS or REDIS_CLUSTER: an embedded Redis belongs to one process',
        );
        expect(
            loadConfig({ ROLE: 'worker', REDIS_URL: 'redis://127.0.0.1', DATA_DIR: temporaryFolder() }).ROLE,
        ).to.equal('worker');
    });

    it('lets replicas speak to each other only with a key', () => {
        expect(faultsOf({ INTERNAL_PORT: '3001' })).to.have.length(1);
        expect(faultsOf({ INTERNAL_PORT: '3001' })[0]).to.match(
            /^INTERNAL_KEY must be given with INTERNAL_PORT; make one/,
        );
        expect(faultsOf({ INTERNAL_PORT: '3001', INTERNAL_KEY: 'short' })[0]).to.contain('INTERNAL_KEY');
        expect(faultsOf({ INTERNAL_PROT: '3001' })[0]).to.match(/^INTERNAL_PROT is not a setting/);
        const given = { INTERNAL_HOST: '10.0.0.1', INTERNAL_PORT: '3001', INTERNAL_KEY: 'k'.repeat(32) };
        expect(loadConfig({ ...KEYS, ...given })).to.include({ ...given, INTERNAL_PORT: 3001 });
    });

    it('says a line for each fault', () => {
        const faults = faultsOf({
            NODE_ENV: 'staging',
            HOST: 'not a host',
            PORT: '70000',
            REDIS_URL: 'http://redis.example',
            ROLE: 'boss',
            REGISTRATION: 'maybe',
            PLATFORM_ADMIN_EMAIL: 'nobody',
            ACCESS_TOKEN_TTL: '1',
            REFRESH_TOKEN_TTL: '1',
            BCRYPT_COST: '4',
            COOKIE_SECURE: 'perhaps',
            TRUSTED_PROXIES: '10.0.0.0/33',
            REQUIRE_HTTPS: 'perhaps',
            SMTP_URL: 'http://mail.example',
            MAIL_FROM: 'Acme <no-reply@acme.example>',
            LOG_LEVEL: 'loud',
            OLLAMA_URL: 'ftp://ollama.example',
            PROVIDER_KEYS_SHARED: 'mistral=key',
            SHUTDOWN_TIMEOUT: '0',
            BUILD_TIME: 'yesterday',
        });
        expect(faults.map((fault) => fault.split(' ')[0])).to.equal([
            'NODE_ENV',
            'HOST',
            'PORT',
            'REDIS_URL',
            'ROLE',
            'REGISTRATION',
            'PLATFORM_ADMIN_EMAIL',
            'ACCESS_TOKEN_TTL',
            'REFRESH_TOKEN_TTL',
            'BCRYPT_COST',
            'COOKIE_SECURE',
            'TRUSTED_PROXIES',
            'REQUIRE_HTTPS',
            'SMTP_URL',
            'LOG_LEVEL',
            'OLLAMA_URL',
            'PROVIDER_KEYS_SHARED',
            'SHUTDOWN_TIMEOUT',
            'BUILD_TIME',
        ]);
    });

    it('wants a sender where there is a mail server', () => {
        expect(faultsOf({ SMTP_URL: 'smtp://mail.example' })).to.equal(['MAIL_FROM must be given with SMTP_URL']);
    });

    it('refuses proxies that are no addresses', () => {
        for (const list of ['proxy.example', '10.0.0.0/8,x', '::1/129']) {
            expect(faultsOf({ TRUSTED_PROXIES: list }), list).to.have.length(1);
        }
    });

    it('takes a private range for VMs, and says how to mend another one', () => {
        const config = loadConfig({ ...KEYS, VM_ADDRESS_RANGE: '192.168.0.0/24', VM_SIMULATOR_DELAY_MS: '0' });
        expect(config).to.include({ VM_ADDRESS_RANGE: '192.168.0.0/24', VM_SIMULATOR_DELAY_MS: 0 });
        expect(faultsOf({ VM_ADDRESS_RANGE: '10.64.0.1/16' })).to.equal([
            'VM_ADDRESS_RANGE begins in the middle of its range; write 10.64.0.0/16',
        ]);
        expect(faultsOf({ VM_ADDRESS_RANGE: '8.8.8.0/24' })).to.equal([
            'VM_ADDRESS_RANGE needs a range of private addresses, within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16',
        ]);
        expect(faultsOf({ VM_ADDRESS_RANGE: 'fd00::/8' })).to.equal([
            'VM_ADDRESS_RANGE needs an IPv4 range like 10.64.0.0/16',
        ]);
        expect(loadConfig({ ...KEYS, VM_IMAGES: 'debian-13, alpine-3.22' }).VM_IMAGES).to.equal([
            'debian-13',
            'alpine-3.22',
        ]);
        for (const VM_IMAGES of [',', 'debian 13', 'Debian-13']) {
            expect(faultsOf({ VM_IMAGES })).to.equal([
                'VM_IMAGES needs names of images like debian-13, separated by commas',
            ]);
        }
        expect(faultsOf({ VM_DRIVER: 'cloud' })).to.equal(['VM_DRIVER must be [simulator]']);
        for (const delay of ['-1', '1.5', 'long', '600001']) {
            expect(faultsOf({ VM_SIMULATOR_DELAY_MS: delay }), delay).to.have.length(1);
        }
    });

    it('takes where errors and traces go, and refuses what is no such place', () => {
        const SENTRY_DSN = 'https://0123abc@o1.ingest.sentry.example/42';
        const OTEL_EXPORTER_OTLP_ENDPOINT = 'http://collector.example:4318';
        const given = { SENTRY_DSN, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_TRACES_SAMPLER_ARG: '0.1' };
        expect(loadConfig({ ...KEYS, ...given })).to.include({ ...given, OTEL_TRACES_SAMPLER_ARG: 0.1 } as never);
        expect(faultsOf({ SENTRY_DSN: 'https://o1.ingest.sentry.example/42' })).to.equal([
            'SENTRY_DSN must be a DSN, as https://<key>@<host>/<project>',
        ]);
        expect(faultsOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' })[0]).to.match(/^OTEL_EXPORTER_OTLP_ENDPOINT/);
        expect(faultsOf({ OTEL_TRACES_SAMPLER_ARG: '2' })[0]).to.match(/^OTEL_TRACES_SAMPLER_ARG/);
    });

    it('refuses misspelt settings of its own and ignores what belongs to others', () => {
        const misspelt = [
            'JWT_KEY',
            'VAULT_KEY',
            'BCRYPT_ROUNDS',
            'COOKIES_SECURE',
            'CORS_ORIGIN',
            'PLATFORM_ADMIN_MAIL',
            'REGISTRATIONS',
            'ACCESS_TOKEN_TTL_S',
            'REFRESH_TOKEN_TIME',
            'PROVIDER_KEYS',
            'SANDBOX_MODELS',
            'SHUTDOWN_TIME',
            'TRUSTED_PROXY',
            'REQUIRE_HTTP',
            'SMTP_HOST',
            'MAIL_FROM_NAME',
            'VM_DRIVERS',
            'VM_ADDRESS_RANGES',
            'VM_IMAGE',
            'VM_SIMULATOR_DELAY',
            'REDIS_URLS',
            'REDIS_ALLOW_EVICT',
            'REDIS_REPLICAS',
            'SENTRY_DNS',
            'OTEL_EXPORTER_OTLP_ENDPOINTS',
            'OTEL_SERVICE_NAMES',
            'OTEL_TRACES_SAMPLER_ARGS',
        ];
        const faults = faultsOf(Object.fromEntries(misspelt.map((name) => [name, 'x'])));
        expect(faults.map((fault) => fault.split(' ')[0])).to.equal(misspelt);
        expect(faults[0]).to.equal('JWT_KEY is not a setting of this program; see the README for those that are');
        expect(
            faultsOf({
                PATH: '/bin',
                EDITOR: 'ed',
                JAVA_HOME: '/opt',
                REDIS_HOME: '/opt',
                OTEL_RESOURCE_ATTRIBUTES: 'a=b',
            }),
        ).to.equal([]);
    });

    it('names each secret that is missing in production, and how to make it', () => {
        expect(faultsOf({ NODE_ENV: 'production', DATA_DIR: temporaryFolder() }, {})).to.equal([
            'PLATFORM_ADMIN_PASSWORD must be given in production; it is the password of the first platform admin',
            "JWT_KEYS must be given in production; make one with `node -p \"'k1:'+crypto.randomBytes(48).toString('base64url')\"`",
            "VAULT_KEYS must be given in production; make one with `node -p \"'k1:'+crypto.randomBytes(32).toString('base64')\"`",
        ]);
    });

    it('refuses secrets of the wrong form and never repeats them', () => {
        const short = 'hunter2hunter2';
        const environment = {
            ...PRODUCTION,
            PLATFORM_ADMIN_PASSWORD: 'hunter2',
            JWT_KEYS: `new:${short}`,
            VAULT_KEYS: `new:${short}`,
            PROVIDER_KEYS_SHARED: `openai:${short}`,
        };
        const faults = faultsOf(environment);
        expect(faults).to.have.length(4);
        expect(faults[1]).to.include('JWT_KEYS has a secret of the wrong length under the name new; make one with');
        expect(faults[2]).to.include('VAULT_KEYS has a secret of the wrong length under the name new; make one with');
        expect(faults.join('\n')).to.not.include('hunter2');
        const nameless = faultsOf({ ...PRODUCTION, JWT_KEYS: JWT_SECRET, VAULT_KEYS: VAULT_SECRET });
        expect(nameless).to.have.length(2);
        expect(nameless.join()).to.not.include(JWT_SECRET);
        expect(nameless.join()).to.not.include(VAULT_SECRET);
    });

    it('takes a token for metrics of 32 characters or more', () => {
        const [fault = '', ...more] = faultsOf({ METRICS_TOKEN: 'x'.repeat(31) });
        expect(more).to.equal([]);
        expect(fault).to.match(/^METRICS_TOKEN needs 32 characters or more; make one with/);
        expect(faultsOf({ METRICS_TOKEN: 'x'.repeat(32), METRICS_PORT: '9100', METRICS: 'off' })).to.equal([]);
        expect(faultsOf({ METRICS_TOKENS: 'x' })[0]).to.include('METRICS_TOKENS is not a setting');
    });

    it('takes a vault secret of 32 bytes only, and a token secret of 32 or more', () => {
        const base64 = (bytes: number) => `k1:${randomBytes(bytes).toString('base64')}`;
        expect(faultsOf({ VAULT_KEYS: base64(31) })).to.have.length(1);
        expect(faultsOf({ VAULT_KEYS: base64(33) })).to.have.length(1);
        expect(faultsOf({ JWT_KEYS: `k1:${'x'.repeat(31)}` })).to.have.length(1);
        expect(faultsOf({ JWT_KEYS: `k1:${'x'.repeat(32)}` })).to.equal([]);
    });

    it('makes secrets for development, for their owner only, and finds them again at the next start', () => {
        const DATA_DIR = join(temporaryFolder(), 'data');
        const first = loadConfig({ DATA_DIR });
        const second = loadConfig({ DATA_DIR });
        expect(statSync(join(DATA_DIR, 'secrets.json')).mode & 0o777).to.equal(0o600);
        expect(statSync(DATA_DIR).mode & 0o777).to.equal(0o700);
        expect(first.JWT_KEYS.newest.secret.length).to.be.at.least(32);
        expect(first.VAULT_KEYS.newest.secret).to.have.length(32);
        expect(second.JWT_KEYS.newest).to.equal(first.JWT_KEYS.newest);
        expect(second.VAULT_KEYS.newest).to.equal(first.VAULT_KEYS.newest);
    });

    it('generates only the secret that was not given', () => {
        const DATA_DIR = temporaryFolder();
        const { JWT_KEYS } = KEYS;
        const config = loadConfig({ DATA_DIR, JWT_KEYS });
        expect(config.JWT_KEYS.newest.id).to.equal('k1');
        expect(config.VAULT_KEYS.newest.id).to.equal('generated');
        expect(loadConfig({ DATA_DIR, VAULT_KEYS: KEYS.VAULT_KEYS }).JWT_KEYS.newest.id).to.equal('generated');
    });

    it('knows the version of the package, and the commit where it is known', () => {
        const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
            version: string;
        };
        expect(loadConfig({ ...KEYS, BUILD_COMMIT: 'abc123' })).to.include({
            VERSION: version,
            BUILD_COMMIT: 'abc123',
        });
        expect(loadConfig(KEYS).BUILD_COMMIT).to.match(/^([0-9a-f]{40}|unknown)$/);
    });

    it('does without the commit where there is no git', () => {
        const { PATH } = process.env;
        process.env.PATH = temporaryFolder();
        try {
            expect(loadConfig(KEYS).BUILD_COMMIT).to.equal('unknown');
        } finally {
            process.env.PATH = PATH;
        }
    });
});
