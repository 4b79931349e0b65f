import Lab from '@hapi/lab';

import { playOn } from './helpers/play.ts';
import { startSentinel } from './helpers/redis-sentinel.ts';

export const lab = Lab.script();

lab.describe('the program with Redis Sentinel', { timeout: 120_000 }, () =>
    playOn(lab, () => startSentinel({ replicas: 1 })),
);
