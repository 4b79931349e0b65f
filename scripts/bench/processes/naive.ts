/**
 * What a team would write first: hapi with the strategy of @hapi/jwt, a logger for each request, Joi for what comes in
 * and what goes out, and a command of Redis for each thing that is to be known. It reads a record as the API does.
 */
import { randomUUID } from 'node:crypto';

import { badRequest, notFound, tooManyRequests } from '@hapi/boom';
import Hapi from '@hapi/hapi';
import Jwt from '@hapi/jwt';
import HapiPino from 'hapi-pino';
import { Redis } from 'ioredis';
import Joi from 'joi';

const { REDIS_SOCKET = '', SECRET = '', USERS = '' } = process.env;
const MINUTE_S = 60;
const LIMIT = 10_000;

interface Claims {
    sub: string;
    sid: string;
    jti: string;
}

const redis = new Redis(REDIS_SOCKET);

/** Somebody for each token, each with a session and a record. */
async function seed(users: number): Promise<void> {
    const pipeline = redis.pipeline();
    const at = new Date().toISOString();
    for (let n = 0; n < users; n++) {
        pipeline.hset(`naive:session:sess_${n}`, { userId: `user_${n}`, createdAt: at });
        pipeline.hset(`naive:user:user_${n}`, { id: `user_${n}`, role: 'user', isActive: '1' });
        const times = { createdAt: at, updatedAt: at };
        const record = {
            id: `thread_${n}`,
            userId: `user_${n}`,
            title: 'A thread',
            messageCount: 0,
            models: '[]',
            revision: 1,
        };
        pipeline.hset(`naive:thread:thread_${n}`, { ...record, ...times });
    }
    await pipeline.exec();
}

const thread = Joi.object({
    id: Joi.string().required(),
    userId: Joi.string().required(),
    title: Joi.string().allow(null).required(),
    messageCount: Joi.number().integer().min(0).required(),
    models: Joi.array().items(Joi.string()).required(),
    revision: Joi.number().integer().min(1).required(),
    createdAt: Joi.string().isoDate().required(),
    updatedAt: Joi.string().isoDate().required(),
});
const answer = Joi.object({
    success: Joi.boolean().required(),
    data: Joi.object({ thread }).required(),
    timestamp: Joi.string().isoDate().required(),
    requestId: Joi.string().required(),
});

const server = Hapi.server({ port: 0, host: '127.0.0.1' });
await server.register([Jwt, { plugin: HapiPino }]);
server.auth.strategy('jwt', 'jwt', {
    keys: SECRET,
    verify: { aud: false, iss: false, sub: false },
    validate: async ({ decoded }: { decoded: { payload: Claims } }) => {
        const { sub, sid, jti } = decoded.payload;
        if ((await redis.exists(`naive:revoked:${jti}`)) === 1) return { isValid: false };
        const session = await redis.hgetall(`naive:session:${sid}`);
        if (session.userId !== sub) return { isValid: false };
        const user = await redis.hgetall(`naive:user:${sub}`);
        if (user.isActive !== '1') return { isValid: false };
        const rate = `naive:rate:${sub}:${Math.floor(Date.now() / 1_000 / MINUTE_S)}`;
        const count = await redis.incr(rate);
        if (count === 1) await redis.expire(rate, MINUTE_S);
        if (count > LIMIT) throw tooManyRequests();
        return { isValid: true, credentials: { user } };
    },
});
server.route({
    method: 'GET',
    path: '/api/threads/{threadId}',
    options: {
        auth: 'jwt',
        validate: {
            params: Joi.object({
                threadId: Joi.string()
                    .pattern(/^thread_\w+$/)
                    .required(),
            }),
            failAction: (_request, _h, error) => {
                throw badRequest(error?.message);
            },
        },
        response: { schema: answer },
    },
    handler: async ({ params, auth }) => {
        const found = await redis.hgetall(`naive:thread:${String(params.threadId)}`);
        if (found.userId !== (auth.credentials.user as { id?: string } | undefined)?.id) throw notFound();
        const { models = '[]', messageCount, revision, ...rest } = found;
        const record = {
            ...rest,
            models: JSON.parse(models) as string[],
            messageCount: Number(messageCount),
            revision: Number(revision),
        };
        return {
            success: true,
            data: { thread: record },
            timestamp: new Date().toISOString(),
            requestId: randomUUID(),
        };
    },
});
await seed(Number(USERS));
await server.start();
process.stdout.write(`listening on ${server.info.uri}\n`);
