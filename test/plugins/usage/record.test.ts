import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@hapi/code';
import Lab from '@hapi/lab';

import { UsageRules } from '../../../plugins/usage/service.ts';
import { UsageStore } from '../../../plugins/usage/store.ts';
import { connectRedis, type RedisClient } from '../../../src/redis/client.ts';
import { createDatastore } from '../../../src/redis/datastore.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { RestartableRedis } from '../../helpers/restartable-redis.ts';
import { newTenantId } from '../../helpers/store.ts';

import type { EndedCall } from '../../../plugins/usage/api.ts';
import type { Actor } from '../../../src/types/actor.ts';

export const lab = Lab.script();
const { describe, it, beforeEach, afterEach } = lab;

const CALL: EndedCall = {
    modelId: 'remote',
    outcome: 'complete',
    errorCode: null,
    usage: { inputFresh: 6, cacheRead: 0, cacheWrite: 0, output: 5, reasoning: 0, isEstimated: false },
    durationMs: 20,
    timeToFirstTokenMs: 10,
};

describe('UsageService.record()', () => {
    let server: RestartableRedis;
    let redis: RedisClient;
    let rules: UsageRules;
    let logs: string[];
    let ada: Actor;

    beforeEach(async () => {
        logs = [];
        const destination = { write: (line: string) => void logs.push(line) };
        const logger = createLogger({ level: 'error', pretty: false, destination });
        server = new RestartableRedis();
        await server.start();
        redis = await connectRedis({ path: server.path }, logger);
        rules = new UsageRules(new UsageStore(createDatastore(redis)), logger);
        ada = { tenantId: newTenantId(), userId: 'ada' } as Actor;
    });

    afterEach(async () => {
        redis.disconnect();
        await server.remove();
    });

    const total = async () => (await rules.read(ada, {})).total;

    it('counts a call once, however often it is told of it', async () => {
        for (const id of ['one', 'one', 'two', 'one']) rules.record(ada, id, CALL);
        await rules.stop();
        expect(await total()).to.include({ calls: 2, inputFresh: 12, output: 10 });
    });

    it('counts a call when the store is back that was away', async () => {
        await server.kill();
        rules.record(ada, 'one', CALL);
        await server.start();
        for (;;) {
            const found = await total().catch(() => null);
            if (found?.calls === 1) break;
            await sleep(50);
        }
        await rules.stop();
        expect(await total()).to.include({ calls: 1, output: 5 });
        expect(logs.filter((line) => line.includes('not counted'))).to.equal([]);
    });

    it('tells the log what it could not count before the process stopped', async () => {
        await server.kill();
        rules.record(ada, 'one', CALL);
        await rules.stop();
        const [line = '{}'] = logs.filter((text) => text.includes('A call was not counted'));
        expect(JSON.parse(line)).to.include({ module: 'usage', userId: 'ada', callId: 'one', modelId: 'remote' });
        expect(JSON.parse(line).counts).to.include(['remote:output', '5']);
    });
});
