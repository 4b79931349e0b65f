import { startApp, type TestApp } from './app.ts';

export interface AppAtTime {
    app: TestApp;
    /** Moves the clock to a time in ISO-8601. */
    to: (time: string) => Promise<void>;
}

/**
 * The program at a time that a test names: tokens outlive the months that it skips, and tenants begin with five
 * dollars.
 */
export async function startAt(time: string): Promise<AppAtTime> {
    const app = await startApp({ config: { ACCESS_TOKEN_TTL: 400 * 86_400, WELCOME_CREDITS: 5 } });
    let offset = 0;
    const to = async (next: string) => {
        const step = Date.parse(next) - Date.now() - offset;
        offset += step;
        await app.advance(step);
    };
    await to(time);
    return { app, to };
}
