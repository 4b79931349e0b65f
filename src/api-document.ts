import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Redis, type Command } from 'ioredis';

import { composePlatform } from './compose-platform.ts';
import { loadConfig, type Config } from './config.ts';
import { createServer } from './server.ts';
import { createLogger } from './telemetry/logger.ts';

import type { Server } from '@hapi/hapi';

/** Signs and seals nothing: what is described takes no requests but the one for the document. */
const KEYS = {
    PLATFORM_ADMIN_PASSWORD: 'nobody logs in here',
    JWT_KEYS: `described:${'0'.repeat(32)}`,
    VAULT_KEYS: `described:${Buffer.alloc(32).toString('base64')}`,
};

const MOST_BYTES = 64 * 2 ** 20;
const PATIENCE_MS = 60_000;

/** Says of everything that it is done: a server that is made ready writes its first admin, and needs no more. */
class NoRedis extends Redis {
    override sendCommand(command: Command): Promise<unknown> {
        command.resolve([1, 1, 1]);
        return command.promise;
    }
}

/** Settings by which there are more routes or fewer. */
export type RouteSettings = Pick<Config, 'CONSOLE' | 'METRICS'>;

/** The server with all its routes, for a look at them: it listens nowhere, and has no Redis. */
export async function withRoutes<T>(act: (server: Server) => Promise<T>, settings?: RouteSettings): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'api-document-'));
    const logger = createLogger({ level: 'silent', pretty: false });
    const address = { path: join(folder, 'none.sock') };
    const redis = new NoRedis(address.path, { lazyConnect: true, retryStrategy: () => null });
    try {
        const config = { ...loadConfig({ NODE_ENV: 'test', DATA_DIR: folder, ...KEYS }), ...settings };
        const server = await createServer(composePlatform({ config, logger, redis, address }));
        await server.initialize();
        return await act(server);
    } finally {
        redis.disconnect();
        rmSync(folder, { recursive: true });
    }
}

/** What `GET /openapi.json` answers, as JSON. @throws {Error} When it cannot be made */
export const apiDocument = (settings?: RouteSettings): Promise<string> =>
    withRoutes(async (server) => {
        const { statusCode, payload } = await server.inject('/openapi.json');
        if (statusCode !== 200) throw new Error(`The document could not be made: ${payload}`);
        return payload;
    }, settings);

/**
 * The same, made by a process of its own: it takes seconds of computing, in which a server would answer nobody.
 *
 * @throws {Error} When that process ends without it
 */
export async function apiDocumentElsewhere({ CONSOLE, METRICS }: RouteSettings): Promise<string> {
    const program = fileURLToPath(new URL('./write-api-document.js', import.meta.url));
    const settings: RouteSettings = { CONSOLE, METRICS };
    const { NODE_V8_COVERAGE, TMPDIR } = process.env;
    const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify(settings)], {
        // None of the secrets.
        env: { ...(NODE_V8_COVERAGE !== undefined && { NODE_V8_COVERAGE }), ...(TMPDIR !== undefined && { TMPDIR }) },
        maxBuffer: MOST_BYTES,
        timeout: PATIENCE_MS,
    });
    return stdout;
}
