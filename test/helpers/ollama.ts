import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { writeCatalogue } from './catalogue.ts';
import { startProvider, type Hold, type Provider, type ProviderAnswer, type ProviderRequest } from './provider.ts';

import type { Redis } from 'ioredis';
import type { Config } from '../../src/config.ts';

export const GIB = 1024 ** 3;
const SIZE = 2_254_857_830;

export const jsonLine = (value: object): string => `${JSON.stringify(value)}\n`;

/** A step that does something when the answer is there. */
const then = (act: () => void): Hold => ({
    reached: Promise.resolve(),
    release: () => undefined,
    arrive: async () => act(),
});

/** A layer of a model that is fetched, when so much of it has come. */
export const layer = (digest: string, total: number, completed?: number): string =>
    jsonLine({
        status: `pulling ${digest}`,
        digest: `sha256:${digest}`,
        total,
        ...(completed !== undefined && { completed }),
    });

/** A stand-in for Ollama that knows what it has on its disk and in its memory. */
export class StandInOllama {
    readonly provider: Provider;
    /** Names with a tag, as Ollama lists them. */
    readonly onDisk = new Set<string>();
    readonly loaded = new Map<string, number>();
    readonly #models: string[];
    /** What comes of a pull before its `success`; or the whole of another answer. */
    pull: NonNullable<ProviderAnswer['steps']> | ((times: number) => ProviderAnswer | undefined) = [];
    /** What comes before a model is loaded; or the whole of another answer. */
    load: NonNullable<ProviderAnswer['steps']> | ((times: number) => ProviderAnswer | undefined) = [];

    private constructor(provider: Provider) {
        this.provider = provider;
        this.#models = Array.from({ length: 20 }, () => `local-${randomBytes(6).toString('hex')}`);
        provider.answer((request) => this.#answer(request));
    }

    static async start(): Promise<StandInOllama> {
        return new StandInOllama(await startProvider());
    }

    /** Settings with its models, one of OpenAI and the sandbox. */
    config(): Partial<Config> {
        const models = this.#models.map((id) => ({ id, provider: 'ollama', requiresLoading: true }));
        return {
            OLLAMA_URL: this.provider.url,
            CATALOGUE_FILE: writeCatalogue([...models, { id: 'remote', provider: 'openai' }, { id: 'sandbox' }]),
        };
    }

    /** A model that no other test has, and none of which it knows more than the name. */
    newModel(): string {
        this.provider.requests.length = 0;
        this.pull = [];
        this.load = [];
        return this.#models.pop() ?? '';
    }

    /** A model that is on the disk. */
    diskModel(): string {
        const id = this.newModel();
        this.onDisk.add(`${id}:latest`);
        return id;
    }

    pulls = (): ProviderRequest[] => this.provider.requests.filter(({ path }) => path === '/api/pull');
    chats = (): ProviderRequest[] => this.provider.requests.filter(({ path }) => path === '/api/chat');

    #answer(request: ProviderRequest): ProviderAnswer {
        const { path, body } = request;
        if (path === '/api/tags') return list([...this.onDisk].map((name) => ({ name, size: GIB })));
        if (path === '/api/ps') return list([...this.loaded].map(([name, size]) => ({ name, size })));
        const name = body.model.includes(':') ? body.model : `${body.model}:latest`;
        if (path === '/api/pull') {
            if (typeof this.pull === 'function') {
                const other = this.pull(this.pulls().length);
                if (other) return other;
            }
            const steps = typeof this.pull === 'function' ? [] : this.pull;
            const whole = then(() => void this.onDisk.add(name));
            return {
                steps: [jsonLine({ status: 'pulling manifest' }), ...steps, whole, jsonLine({ status: 'success' })],
            };
        }
        if (body.keep_alive === 0) this.loaded.delete(name);
        if (typeof this.load === 'function') {
            const other = this.load(this.chats().length);
            if (other) return other;
        }
        const steps = typeof this.load === 'function' ? [] : this.load;
        const ready = then(() => void (body.keep_alive !== 0 && this.loaded.set(name, SIZE)));
        return { steps: [...steps, ready, jsonLine({ done: true, done_reason: 'load' })] };
    }
}

const list = (models: object[]): ProviderAnswer => ({ steps: [JSON.stringify({ models })] });

/** Waits until that much of a model has come; asking the program for it would be too much for its limits. */
export async function untilProgress(redis: Redis, jobId: string, percent: number): Promise<void> {
    for (;;) {
        const event = await redis.hget(`tenant:{platform}:model-load:${jobId}`, 'progress');
        if (event?.includes(`"loadProgress":${percent},`)) return;
        await sleep(5);
    }
}
