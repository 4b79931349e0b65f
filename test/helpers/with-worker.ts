import { startApp, type TestApp } from './app.ts';
import { DAYS, openQueue, type TestQueue } from './jobs.ts';
import { startRedis } from './redis.ts';

/** The program with a worker, on a Redis of its own, and tokens that outlive the months that its tests skip. */
export interface AppWithWorker {
    app: TestApp;
    jobs: TestQueue;
    /** Makes the jobs that wait due now, and waits until they are done. */
    due: () => Promise<void>;
    stop: () => Promise<void>;
}

export async function startWithWorker(): Promise<AppWithWorker> {
    const redis = await startRedis();
    const app = await startApp({ redisPath: redis.path, worker: true, config: { ACCESS_TOKEN_TTL: 100 * DAYS } });
    const jobs = await openQueue(redis.path);
    return {
        app,
        jobs,
        due: async () => {
            await jobs.promote();
            await jobs.settled();
        },
        stop: async () => {
            await jobs.close();
            await app.stop();
            await redis.stop();
        },
    };
}
