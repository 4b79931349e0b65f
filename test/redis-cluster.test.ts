import Lab from '@hapi/lab';

import { playOn } from './helpers/play.ts';
import { startCluster } from './helpers/redis-cluster.ts';

export const lab = Lab.script();

lab.describe('the program on a Redis Cluster', { timeout: 120_000 }, () => playOn(lab, () => startCluster()));
