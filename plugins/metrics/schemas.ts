import Joi from 'joi';

const time = () => Joi.string().isoDate();
const count = () => Joi.number().integer().min(0);

export const replicasAnswer = Joi.object({
    replicas: Joi.array()
        .items(
            Joi.object({
                id: Joi.string(),
                role: Joi.string().valid('api', 'worker', 'all'),
                version: Joi.string(),
                startedAt: time(),
                seenAt: time().description('when it last told of itself; one that is silent for 15 s is not listed'),
                eventLoopDelayMs: Joi.number().min(0).description('on the average of the last seconds'),
                rssMb: Joi.number().min(0).description('resident memory in MiB'),
                streams: count().description('event streams that are open'),
                generations: count().description('answers of models that are being written'),
                tunnels: count().description('agents that are connected'),
            }).label('Replica'),
        )
        .label('Replicas'),
}).label('ReplicasData');

export const replicasExample = {
    replicas: [
        {
            id: 'replica_01K9ZQ4V7N8M3T5R2W6X1Y0ABC',
            role: 'all',
            version: '0.1.0',
            startedAt: '2026-11-20T08:00:00.000Z',
            seenAt: '2026-11-20T10:29:58.000Z',
            eventLoopDelayMs: 0.4,
            rssMb: 142.5,
            streams: 12,
            generations: 3,
            tunnels: 7,
        },
    ],
};
