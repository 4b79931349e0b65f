import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import Joi from 'joi';

import {
    addressRanges,
    host,
    httpUrl,
    imageNames,
    keyring,
    origins,
    privateRange,
    providerKeys,
    shutdown,
} from './config-rules.ts';
import { packageRoot } from './package-root.ts';
import { redisFaults, redisSettings, type RedisSettings } from './redis/settings.ts';
import { parseKeyring, type Keyring } from './security/keyring.ts';
import { generatedSecrets } from './security/secrets.ts';
import { telemetrySettings, type TelemetrySettings } from './telemetry/settings.ts';

/** The settings of a process, read once from the environment and frozen. */
export interface Config extends RedisSettings, TelemetrySettings {
    NODE_ENV: 'development' | 'test' | 'production';
    HOST: string;
    PORT: number;
    DATA_DIR: string;
    /** Whether the process serves HTTP, does jobs, or both. */
    ROLE: 'api' | 'worker' | 'all';
    REGISTRATION: 'open' | 'closed';
    PLATFORM_ADMIN_EMAIL: string;
    PLATFORM_ADMIN_PASSWORD?: string;
    JWT_KEYS: Keyring;
    /** Seconds */
    ACCESS_TOKEN_TTL: number;
    /** Seconds */
    REFRESH_TOKEN_TTL: number;
    VAULT_KEYS: Keyring;
    BCRYPT_COST: number;
    COOKIE_SECURE: boolean;
    CORS_ORIGINS: string[];
    /** Addresses and CIDRs of the proxies whose X-Forwarded-* headers are believed. */
    TRUSTED_PROXIES: string[];
    REQUIRE_HTTPS: boolean;
    SMTP_URL?: string;
    MAIL_FROM?: string;
    LOG_LEVEL: string;
    LOG_PRETTY: boolean;
    DOCS: boolean;
    CONSOLE: boolean;
    ANTHROPIC_BASE_URL: string;
    OPENAI_BASE_URL: string;
    GOOGLE_BASE_URL: string;
    OLLAMA_URL: string;
    /** Whether models that are not on Ollama's disk may be fetched from the network. */
    OLLAMA_PULL: boolean;
    /** The platform's own API keys by provider. */
    PROVIDER_KEYS_SHARED: Record<string, string>;
    CATALOGUE_FILE?: string;
    /** Seconds */
    MODEL_FIRST_TOKEN_TIMEOUT: number;
    /** Seconds */
    MODEL_ANSWER_TIMEOUT: number;
    SANDBOX_MODEL: boolean;
    SANDBOX_TOKEN_DELAY_MS: number;
    /** How long a call to a model may wait for a slot. */
    GENERATION_QUEUE_MS: number;
    /** Dollars given to a new tenant. */
    WELCOME_CREDITS: number;
    /** Dollars that one grant may add or take. */
    CREDIT_GRANT_LIMIT: number;
    /** Dollars that a balance may be brought to. */
    CREDIT_BALANCE_LIMIT: number;
    /** What runs the VMs. */
    VM_DRIVER: 'simulator';
    /** What may be installed on VMs. */
    VM_IMAGES: string[];
    /** The private range that simulated VMs have their addresses from, as a CIDR. */
    VM_ADDRESS_RANGE: string;
    /** How long a simulated VM takes to be made, started, stopped or restarted. */
    VM_SIMULATOR_DELAY_MS: number;
    /** Where other replicas reach this one for tunnels whose links it holds; HOST unless given. */
    INTERNAL_HOST?: string;
    /** 0: no other replica does. */
    INTERNAL_PORT: number;
    /** What replicas know each other by. */
    INTERNAL_KEY?: string;
    /** Whether webhooks may be sent to private addresses, and by plain HTTP. */
    WEBHOOK_ALLOW_PRIVATE: boolean;
    /** Where archives go; in the data directory unless given. */
    BACKUP_DIR: string;
    /** The bucket that archives go to in place of a directory. */
    BACKUP_S3_BUCKET?: string;
    /** Of a server that speaks S3; Amazon's unless given. */
    BACKUP_S3_ENDPOINT?: string;
    BACKUP_S3_PREFIX: string;
    /** What notices of backups that were made elsewhere are signed with; none are taken without it. */
    BACKUP_WEBHOOK_SECRET?: string;
    MAX_EVENT_LOOP_DELAY_MS: number;
    MAX_RSS_MB: number;
    /** Seconds */
    SHUTDOWN_TIMEOUT: number;
    /** Seconds of these that the process goes on taking requests, until nobody sends it any more. */
    SHUTDOWN_DELAY: number;
    BUILD_COMMIT: string;
    BUILD_TIME: string | null;
    VERSION: string;
}

/** A start that must not go on; its message says, a line each, what is wrong and how to mend it. */
export class ConfigError extends Error {}

/** What our names begin with: a variable like that which is not a setting is a slip of the pen, not a wish to ignore. */
const OWN_PREFIXES =
    /^(JWT|VAULT|BCRYPT|COOKIE|CORS|PLATFORM_ADMIN|REGISTRATION|ACCESS_TOKEN|REFRESH_TOKEN|PROVIDER_KEYS|MODEL|GENERATION|WELCOME_CREDIT|CREDIT_|SANDBOX|SHUTDOWN|TRUSTED_PROX|REQUIRE_HTTP|SMTP_|MAX_(EVENT|RSS)|MAIL_FROM|INTERNAL_|VM_(DRIVER|IMAGE|ADDRESS|SIMULATOR)|WEBHOOK_|BACKUP_|METRICS|REDIS_(URL|ALLOW|SENT|CLUS|USER|PASS|TLS|WAIT|REPL)|SENTRY_D|OTEL_(EXPORTER_OTLP_ENDP|SERVICE_N|TRACES_SAMPLER_))/;

const MAKE_JWT_KEY = "make one with `node -p \"'k1:'+crypto.randomBytes(48).toString('base64url')\"`";
const MAKE_VAULT_KEY = "make one with `node -p \"'k1:'+crypto.randomBytes(32).toString('base64')\"`";

const models = (production: boolean) => ({
    ANTHROPIC_BASE_URL: httpUrl().default('https://api.anthropic.com'),
    OPENAI_BASE_URL: httpUrl().default('https://api.openai.com/v1'),
    GOOGLE_BASE_URL: httpUrl().default('https://generativelanguage.googleapis.com'),
    OLLAMA_URL: httpUrl().default('http://127.0.0.1:11434'),
    OLLAMA_PULL: Joi.boolean().truthy('on').falsy('off').default(!production),
    PROVIDER_KEYS_SHARED: providerKeys.default({}),
    CATALOGUE_FILE: Joi.string(),
    MODEL_FIRST_TOKEN_TIMEOUT: Joi.number().integer().min(1).max(600).default(30),
    MODEL_ANSWER_TIMEOUT: Joi.number().integer().min(1).max(3_600).default(300),
    SANDBOX_MODEL: Joi.boolean().truthy('on').falsy('off').default(!production),
    SANDBOX_TOKEN_DELAY_MS: Joi.number().integer().min(0).max(10_000).default(0),
    GENERATION_QUEUE_MS: Joi.number().integer().min(0).max(30_000).default(2_000),
});

const wholeDollars = () => Joi.number().integer().max(1_000_000);

const credits = (production: boolean) => ({
    WELCOME_CREDITS: wholeDollars()
        .min(0)
        .default(production ? 0 : 5),
    CREDIT_GRANT_LIMIT: wholeDollars().min(1).default(1_000),
    CREDIT_BALANCE_LIMIT: wholeDollars().min(1).default(10_000),
});

const IMAGES = ['ubuntu-22.04', 'ubuntu-24.04', 'debian-12', 'debian-13', 'fedora-42'];

const machines = () => ({
    VM_DRIVER: Joi.string().valid('simulator').default('simulator'),
    VM_IMAGES: imageNames().default(IMAGES),
    VM_ADDRESS_RANGE: privateRange().default('10.64.0.0/16'),
    VM_SIMULATOR_DELAY_MS: Joi.number().integer().min(0).max(600_000).default(1_500),
});

const MAKE_INTERNAL_KEY = 'make one with `node -p "crypto.randomBytes(48).toString(\'base64url\')"`';

const replicas = () => ({
    INTERNAL_HOST: host(),
    INTERNAL_PORT: Joi.number().port().default(0),
    INTERNAL_KEY: Joi.string()
        .min(32)
        .max(256)
        .when('INTERNAL_PORT', { is: 0, otherwise: Joi.required() })
        .messages({ 'any.required': `{{#label}} must be given with INTERNAL_PORT; ${MAKE_INTERNAL_KEY}` }),
});

const MAKE_NOTICE_SECRET = 'make one with `node -p "crypto.randomBytes(32).toString(\'base64url\')"`';

const outgoing = (production: boolean) => ({
    WEBHOOK_ALLOW_PRIVATE: (production ? Joi.boolean().valid(false) : Joi.boolean()).default(false).messages({
        'any.only': '{{#label}} must be false in production: webhooks would reach what only this network should',
    }),
    BACKUP_DIR: Joi.string()
        .custom((path: string) => resolve(path))
        .default(({ DATA_DIR }: Config) => join(DATA_DIR, 'backups')),
    BACKUP_S3_BUCKET: Joi.string().pattern(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    BACKUP_S3_ENDPOINT: httpUrl(),
    BACKUP_S3_PREFIX: Joi.string()
        .pattern(/^[A-Za-z0-9][A-Za-z0-9/_-]{0,200}$/)
        .allow('')
        .default(''),
    BACKUP_WEBHOOK_SECRET: Joi.string()
        .min(32)
        .max(256)
        .messages({ 'string.min': `{{#label}} needs 32 characters or more; ${MAKE_NOTICE_SECRET}` }),
});

const settings = (production: boolean) => {
    const secret = (rule: Joi.Schema, hint: string) =>
        production
            ? rule.required().messages({ 'any.required': `{{#label}} must be given in production; ${hint}` })
            : rule;
    return Joi.object({
        NODE_ENV: Joi.string().valid('development', 'test', 'production').default('development'),
        HOST: host().default(production ? '0.0.0.0' : '127.0.0.1'),
        PORT: Joi.number().port().default(3000),
        DATA_DIR: Joi.string()
            .custom((path: string) => resolve(path))
            .default(resolve('data')),
        ...redisSettings(),
        ROLE: Joi.string().valid('api', 'worker', 'all').default('all'),
        REGISTRATION: Joi.string()
            .valid('open', 'closed')
            .default(production ? 'closed' : 'open'),
        PLATFORM_ADMIN_EMAIL: Joi.string().email({ tlds: false }).lowercase().default('admin@platform.local'),
        PLATFORM_ADMIN_PASSWORD: secret(Joi.string().min(8).max(256), 'it is the password of the first platform admin'),
        JWT_KEYS: secret(
            keyring('utf8', (bytes) => bytes >= 32, MAKE_JWT_KEY),
            MAKE_JWT_KEY,
        ),
        ACCESS_TOKEN_TTL: Joi.number().integer().min(60).max(86_400).default(900),
        REFRESH_TOKEN_TTL: Joi.number().integer().min(300).max(31_536_000).default(604_800),
        VAULT_KEYS: secret(
            keyring('base64', (bytes) => bytes === 32, MAKE_VAULT_KEY),
            MAKE_VAULT_KEY,
        ),
        BCRYPT_COST: Joi.number().integer().min(10).max(14).default(12),
        COOKIE_SECURE: Joi.boolean().default(production),
        CORS_ORIGINS: origins().default([]),
        TRUSTED_PROXIES: addressRanges().default([]),
        REQUIRE_HTTPS: Joi.boolean().default(production),
        SMTP_URL: Joi.string().uri({ scheme: ['smtp', 'smtps'] }),
        MAIL_FROM: Joi.string().max(320),
        LOG_LEVEL: Joi.string().valid('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
        LOG_PRETTY: Joi.boolean().default(process.stdout.isTTY === true),
        DOCS: Joi.boolean().truthy('on').falsy('off').default(true),
        CONSOLE: Joi.boolean().truthy('on').falsy('off').default(true),
        ...models(production),
        ...machines(),
        ...credits(production),
        ...replicas(),
        ...outgoing(production),
        ...telemetrySettings(),
        MAX_EVENT_LOOP_DELAY_MS: Joi.number().integer().min(10).max(60_000).default(500),
        MAX_RSS_MB: Joi.number().integer().min(64).max(1_048_576).default(450),
        ...shutdown(production),
        BUILD_COMMIT: Joi.string(),
        BUILD_TIME: Joi.string().isoDate().allow(null).default(null),
    })
        .with('SMTP_URL', 'MAIL_FROM')
        .with('BACKUP_S3_ENDPOINT', 'BACKUP_S3_BUCKET')
        .messages({ 'object.with': '{{#peer}} must be given with {{#main}}' })
        .prefs({ abortEarly: false, errors: { wrap: { label: false } } })
        .unknown();
};

/**
 * Reads the settings from the environment; what development may make for itself is made in the data directory.
 *
 * @throws ConfigError with a line for each fault
 */
export function loadConfig(environment: NodeJS.ProcessEnv): Config {
    const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
    const schema = settings(given.NODE_ENV === 'production');
    const known = new Set(Object.keys(schema.describe().keys as object));
    const misspelt = Object.keys(given).filter((name) => OWN_PREFIXES.test(name) && !known.has(name));
    const { error, value } = schema.validate(given, { stripUnknown: true });
    const faults = [
        ...(error?.details.map(({ message }) => message) ?? []),
        ...misspelt.map((name) => `${name} is not a setting of this program; see the README for those that are`),
        ...redisFaults(value as Config),
    ];
    if (faults.length > 0) throw new ConfigError(faults.join('\n'));
    return Object.freeze({ ...withGenerated(value as Config), ...build(value as Config) });
}

function withGenerated(config: Config): Config {
    if (config.JWT_KEYS && config.VAULT_KEYS) return config;
    const { JWT_KEYS, VAULT_KEYS } = generatedSecrets(config.DATA_DIR);
    return {
        ...config,
        JWT_KEYS: config.JWT_KEYS ?? parseKeyring(JWT_KEYS, 'utf8', () => true),
        VAULT_KEYS: config.VAULT_KEYS ?? parseKeyring(VAULT_KEYS, 'base64', () => true),
    };
}

/** What is running: the version of the package, and the commit where it is known. */
function build({ BUILD_COMMIT }: Config): Pick<Config, 'VERSION' | 'BUILD_COMMIT'> {
    const root = packageRoot();
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { VERSION: version, BUILD_COMMIT: BUILD_COMMIT ?? commitOf(root) };
}

function commitOf(root: string): string {
    try {
        return execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
            .toString()
            .trim();
    } catch {
        // An image has no repository: whoever builds it gives BUILD_COMMIT.
        return 'unknown';
    }
}
