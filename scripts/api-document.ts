import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis, type Command } from 'ioredis';

import { composePlatform } from '../src/compose-platform.ts';
import { loadConfig } from '../src/config.ts';
import { createServer } from '../src/server.ts';
import { createLogger } from '../src/telemetry/logger.ts';

import type { Server } from '@hapi/hapi';
import type { OpenApiDocument } from '../plugins/docs/openapi.ts';

/** Signs and seals nothing: what is described takes no requests but the one for the document. */
const KEYS = {
    PLATFORM_ADMIN_PASSWORD: 'nobody logs in here',
    JWT_KEYS: `described:${'0'.repeat(32)}`,
    VAULT_KEYS: `described:${Buffer.alloc(32).toString('base64')}`,
};

/** Says of everything that it is done: a server that is made ready writes its first admin, and needs no more. */
class NoRedis extends Redis {
    override sendCommand(command: Command): Promise<unknown> {
        command.resolve([1, 1, 1]);
        return command.promise;
    }
}

/** The server with all its routes, for a look at them: it listens nowhere, and has no Redis. */
export async function withRoutes<T>(act: (server: Server) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'api-document-'));
    const logger = createLogger({ level: 'silent', pretty: false });
    const address = { path: join(folder, 'none.sock') };
    const redis = new NoRedis(address.path, { lazyConnect: true, retryStrategy: () => null });
    try {
        const config = loadConfig({ NODE_ENV: 'test', DATA_DIR: folder, ...KEYS });
        const server = await createServer(composePlatform({ config, logger, redis, address }));
        await server.initialize();
        return await act(server);
    } finally {
        redis.disconnect();
        rmSync(folder, { recursive: true });
    }
}

/** What `GET /openapi.json` answers. */
export const apiDocument = (): Promise<OpenApiDocument> =>
    withRoutes(async (server) => {
        const { payload } = await server.inject('/openapi.json');
        return JSON.parse(payload) as OpenApiDocument;
    });
