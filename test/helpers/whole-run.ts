import { createHmac, randomBytes } from 'node:crypto';

import { Redis } from 'ioredis';

import { startCollector, type TestCollector } from './collector.ts';
import { freePort } from './free-ports.ts';
import { HomeOllama } from './home-ollama.ts';
import { startMailServer, tokenIn } from './mail.ts';
import { startProcess, type TestProcess } from './process.ts';
import { fixture, startProvider, type ProviderRequest } from './provider.ts';
import { startRedis } from './redis.ts';
import { messagesPath } from './thread.ts';
import { spawnAgent, until } from './tunnel-agent.ts';
import { startReceiver, type ReceivedWebhook } from './webhook.ts';
import { tenantKey } from '../../src/redis/keys.ts';

/** By what the way of one message is found. */
export const REQUEST_ID = 'req-of-the-whole-run';
export const TRACE_ID = 'c'.repeat(32);

/** Everything that a run leaves, and the secrets that went through it. */
export interface WholeRun {
    secrets: Map<string, string>;
    /** What the replica wrote that took the message, the one that holds the tunnel's link, and the agent. */
    logs: { taker: string; holder: string; agent: string };
    collector: TestCollector;
    /** Of both replicas, as Prometheus gets them. */
    metrics: string;
    /** The answers that were errors. */
    errors: string[];
    /** What the model behind the tunnel was asked, and the receiver of webhooks. */
    asked: ProviderRequest | undefined;
    received: ReceivedWebhook[];
}

interface Answer {
    status: number;
    // oxlint-disable-next-line typescript/no-explicit-any -- a test says what it expects of an answer
    body: any;
}

type Call = (method: string, path: string, options?: CallOptions) => Promise<Answer>;

interface CallOptions {
    payload?: object | string;
    token?: string | undefined;
    headers?: Record<string, string>;
}

/** What is said in no place but where it belongs; with characters that look different in each encoding. */
const planted = (name: string): string => `${name} "plänted" & /+%? ${randomBytes(6).toString('hex')}`;

/** Secrets of the settings, each of them one that production would take. */
function secretSettings(secrets: Map<string, string>) {
    const secret = (name: string, text: string): string => {
        secrets.set(name, text);
        return text;
    };
    const random = () => randomBytes(32).toString('base64url');
    return {
        PLATFORM_ADMIN_PASSWORD: secret('the password of the platform admin', planted('admin')),
        JWT_KEYS: `k1:${secret('the key of access tokens', random())}`,
        VAULT_KEYS: `k1:${secret('the key of the vault', randomBytes(32).toString('base64'))}`,
        INTERNAL_KEY: secret('the key between replicas', random()),
        METRICS_TOKEN: secret('the token of metrics', random()),
        BACKUP_WEBHOOK_SECRET: secret('the secret of notices', random()),
        PROVIDER_KEYS_SHARED: `openai=${secret('the shared key of a provider', `sk-proj-${random()}`)}`,
        SMTP_PASSWORD: secret('the password of the mail server', random()),
    };
}

/** Two replicas, an agent, a model behind it, a provider, mail, webhooks and a collector, and a day of a tenant. */
export async function wholeRun(level: string): Promise<WholeRun> {
    const secrets = new Map<string, string>();
    const { SMTP_PASSWORD, ...settings } = secretSettings(secrets);
    const [redisPort, collector, mail, receiver, ollama] = await Promise.all([
        freePort(),
        startCollector(),
        startMailServer(),
        startReceiver(),
        HomeOllama.start(),
    ]);
    const provider = await startProvider({ steps: [fixture('openai-chat.sse')] });
    const redis = await startRedis(['--port', String(redisPort), '--bind', '127.0.0.1']);
    const start = async () =>
        startProcess({
            ...settings,
            REDIS_URL: `redis://127.0.0.1:${redisPort}`,
            INTERNAL_PORT: String(await freePort()),
            LOG_LEVEL: level,
            SMTP_URL: mail.config.SMTP_URL.replace('//', `//mailer:${SMTP_PASSWORD}@`),
            MAIL_FROM: mail.config.MAIL_FROM,
            OPENAI_BASE_URL: provider.url,
            WEBHOOK_ALLOW_PRIVATE: 'true',
            OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
            SENTRY_DSN: collector.dsn,
        });
    const [taker, holder] = await Promise.all([start(), start()]);
    const errors: string[] = [];
    const day = new Day(taker, secrets, errors);
    const tenant = await day.begin();
    const tunnel = await day.openTunnel(receiver.url);
    const targets = ['--url', holder.url, '--target', ollama.provider.url];
    const agent = spawnAgent(targets, { LLM_TUNNEL_TOKEN: tunnel.token });
    await until(async () => (await day.tunnelStatus(tunnel.id)) === 'connected');
    await day.talk(tunnel.id);
    provider.answer(({ headers }) => ({
        status: 401,
        steps: [JSON.stringify({ error: { message: headers.authorization } })],
    }));
    await day.failAtProvider();
    await day.forget(async () => tokenIn((await mail.until(1)).at(-1)));
    const isDone = ({ body }: ReceivedWebhook) => body.includes('message.complete');
    await until(() => receiver.received.some(isDone));
    const client = new Redis(redis.path);
    await day.breakInside(client, tenant);
    client.disconnect();
    // What is noted at its end is written by then.
    await until(() => [taker, holder].some(({ output }) => output().stdout.includes('webhook attempted')));
    const metrics = (await Promise.all([taker, holder].map((one) => metricsOf(one, settings.METRICS_TOKEN)))).join(
        '\n',
    );
    await agent.stop();
    const ends = await Promise.all([taker.stop(), holder.stop()]);
    if (ends.some(({ code }) => code !== 0)) throw new Error('A replica did not end well');
    const asked = ollama.asked('/api/chat')[0];
    await Promise.all([
        redis.stop(),
        mail.stop(),
        receiver.stop(),
        provider.stop(),
        ollama.provider.stop(),
        collector.stop(),
    ]);
    const written = ({ output }: Pick<TestProcess, 'output'>) => output().stdout + output().stderr;
    const logs = { taker: written(taker), holder: written(holder), agent: written(agent) };
    return { secrets, logs, collector, metrics, errors, asked, received: receiver.received };
}

async function metricsOf({ url }: TestProcess, token: string): Promise<string> {
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
    return answer.text();
}

/** What people do, good and bad; every secret that comes up is noted. */
class Day {
    readonly #program: TestProcess;
    readonly #secrets: Map<string, string>;
    readonly #errors: string[];
    readonly #domain = `${randomBytes(6).toString('hex')}.example`;
    readonly #email = `ada@${this.#domain}`;
    #token = '';
    #thread = '';
    #userId = '';

    constructor(program: TestProcess, secrets: Map<string, string>, errors: string[]) {
        this.#program = program;
        this.#secrets = secrets;
        this.#errors = errors;
    }

    /** Registers, logs in well and badly, and makes keys; gives the tenant. */
    async begin(): Promise<string> {
        const password = this.#plant('a password');
        const [domain, email] = [this.#domain, this.#email];
        const { body } = await this.#well('POST', '/api/auth/register', {
            payload: { tenantName: 'Acme', domain, email, password },
        });
        const { accessToken, refreshToken, tenant, user } = body.data;
        this.#token = this.#note('an access token', accessToken);
        this.#userId = user.id;
        const wrong = this.#plant('a wrong password');
        await this.#badly('POST', '/api/login', { payload: { email, password: wrong } });
        await this.#badly('POST', '/api/login', { payload: `{"password":${JSON.stringify(wrong)}` });
        await this.#badly('POST', '/api/login', { payload: { email, password, more: wrong } });
        const { data } = (await this.#well('POST', '/api/login', { payload: { email, password } })).body;
        this.#note('an access token of a login', data.accessToken);
        const refreshed = await this.#well('POST', '/api/auth/refresh', {
            payload: { refreshToken: data.refreshToken },
        });
        this.#note('a refresh token', this.#note('another refresh token', refreshed.body.data.refreshToken));
        this.#note('a refresh token that was used', data.refreshToken);
        this.#note('the first refresh token', refreshToken);
        await this.#badly('GET', `/api/auth/me?access_token=${encodeURIComponent(accessToken)}`, { token: 'x' });
        await this.#badly('GET', '/api/auth/me', { token: `${accessToken}x` });
        await this.#makeKeys();
        return String(tenant.id);
    }

    async #makeKeys(): Promise<void> {
        const own = this.#note('a key of a provider', `sk-proj-${randomBytes(24).toString('base64url')}`);
        await this.#well('POST', '/api/profile/api-keys', { payload: { openai: own } });
        const key = await this.#well('POST', '/api/keys', { payload: { name: 'A key', scopes: ['thread:read'] } });
        const secret = this.#note('an API key', key.body.data.secret);
        await this.#well('GET', '/api/threads', { token: '', headers: { 'x-api-key': secret } });
        await this.#badly('GET', '/api/threads', { token: '', headers: { 'x-api-key': `${secret}x` } });
        const payload = { email: `bob@${this.#domain}`, displayName: 'Bob', role: 'user' };
        const invited = await this.#well('POST', '/api/users', { payload });
        const token = this.#note('an invitation', invited.body.data.token);
        await this.#badly('POST', '/api/auth/invitation/accept', { payload: { token: `${token}x`, password: 'x' } });
        const password = this.#plant('a password of an invited user');
        await this.#well('POST', '/api/auth/invitation/accept', { payload: { token, password } });
    }

    async openTunnel(hook: string): Promise<{ id: string; token: string }> {
        const made = await this.#well('POST', '/api/tunnels', { payload: { name: 'home' } });
        const id = String(made.body.data.tunnel.id);
        const token = this.#note('the token of a tunnel', made.body.data.token);
        await this.#well('POST', `/api/tunnels/${id}/start`);
        const shared = await this.#well('POST', `/api/tunnels/${id}/shares`, { payload: {} });
        this.#note('the token of a share', shared.body.data.token);
        const path = `${hook}/${this.#note('the path of a webhook', randomBytes(12).toString('hex'))}`;
        const payload = { url: path, filter: { events: ['message.*'] } };
        const webhook = await this.#well('POST', '/api/webhooks', { payload });
        this.#note('the secret of a webhook', webhook.body.data.secret);
        return { id, token };
    }

    async tunnelStatus(id: string): Promise<string> {
        return String((await this.#well('GET', `/api/tunnels/${id}`)).body.data.tunnel.status);
    }

    /** Asks a model behind the tunnel, and one of a provider. */
    async talk(tunnelId: string): Promise<void> {
        const title = this.#plant('a title');
        this.#thread = String((await this.#well('POST', '/api/threads', { payload: { title } })).body.data.thread.id);
        const headers = { 'x-request-id': REQUEST_ID, traceparent: `00-${TRACE_ID}-${'d'.repeat(16)}-01` };
        const path = messagesPath(this.#thread, encodeURIComponent(`${tunnelId}/llama3.2:3b`));
        await this.#well('POST', path, { payload: { content: this.#plant('the text of a message') }, headers });
        this.#note('the text of an answer', 'Grüße aus 東京');
        const content = this.#plant('the text of another message');
        await this.#well('POST', messagesPath(this.#thread, 'gpt-6-astra'), { payload: { content } });
        const messages = [{ role: 'user', content: this.#plant('the text of a completion') }];
        await this.#well('POST', '/v1/chat/completions', { payload: { model: 'sandbox', messages } });
    }

    /** The provider says the key that it does not like. */
    async failAtProvider(): Promise<void> {
        const content = this.#plant('the text of a message that fails');
        await this.#badly('POST', messagesPath(this.#thread, 'gpt-6-astra'), { payload: { content } });
    }

    /** Resets a password by mail, and by an admin. */
    async forget(tokenOfMail: () => Promise<string>): Promise<void> {
        await this.#well('POST', '/api/auth/password/forgot', { payload: { email: this.#email } });
        this.#note('a token of a reset by mail', await tokenOfMail());
        const { body } = await this.#well('POST', `/api/users/${this.#userId}/password-reset`);
        const token = this.#note('a token of a reset', body.data.token);
        await this.#badly('POST', '/api/auth/password/reset', {
            payload: { token: `${token}x`, password: 'x y z a b c' },
        });
    }

    /** Something is not as it must be: an error that nobody expects. */
    async breakInside(redis: Redis, tenantId: string): Promise<void> {
        const key = tenantKey(tenantId, 'events');
        await redis.del(key);
        await redis.set(key, 'in the way');
        await this.#badly('POST', '/api/threads', { payload: { title: this.#plant('a title that fails') } });
        const signature = createHmac('sha256', 'wrong').update('x').digest('hex');
        const headers = { 'x-backup-signature': signature };
        await this.#badly('POST', '/api/webhooks/backup-complete', {
            payload: { note: this.#plant('a notice') },
            headers,
        });
    }

    #note(name: string, text: unknown): string {
        if (typeof text !== 'string' || text.length < 8) throw new Error(`There is no ${name}`);
        this.#secrets.set(name, text);
        return text;
    }

    #plant = (name: string): string => this.#note(name, planted(name));

    readonly #well: Call = async (method, path, options) => {
        const answer = await this.#call(method, path, options);
        if (answer.status >= 400) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
        return answer;
    };

    readonly #badly: Call = async (method, path, options) => {
        const answer = await this.#call(method, path, options);
        if (answer.status < 400) throw new Error(`${method} ${path} went well`);
        this.#errors.push(JSON.stringify(answer.body));
        return answer;
    };

    readonly #call: Call = async (method, path, { payload, token = this.#token, headers = {} } = {}) => {
        const response = await fetch(this.#program.url + path, {
            method,
            headers: {
                ...(payload !== undefined && { 'content-type': 'application/json' }),
                ...(token !== '' && { authorization: `Bearer ${token}` }),
                ...headers,
            },
            ...(payload !== undefined && { body: typeof payload === 'string' ? payload : JSON.stringify(payload) }),
        });
        const text = await response.text();
        return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    };
}
