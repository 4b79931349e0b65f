import { platformToken } from './tenant.ts';
import { newUser } from './user.ts';

import type { Answer, TestApp } from './app.ts';

/** Asks every operation about the dashboard and the reports for what it has to say, and has the answers looked at. */
export async function askAboutReports(
    app: TestApp,
    look: (method: string, path: string, answer: Answer) => void,
): Promise<void> {
    const token = await platformToken(app);
    const finance = await newUser(app, 'platform', 'finance');
    const admin = '/api/admin';
    await app.server.plugins.reports.rollUp();
    await app.server.plugins.reports.flush();
    const queries = {
        [`${admin}/dashboard`]: ['', '?color=red'],
        [`${admin}/reports/revenue`]: ['', '?unit=month', '?format=csv', '?unit=hour'],
        [`${admin}/reports/usage`]: ['', '?unit=month', '?format=csv', '?count=0'],
        [`${admin}/reports/backups`]: ['', '?unit=month&count=3', '?count=91'],
        [`${admin}/reports/errors`]: ['', '?unit=day&count=3', '?unit=month'],
        [`${admin}/rate-limits/violations`]: ['', '?tenantId=platform', '?tenantId=none'],
    };
    for (const [path, asked] of Object.entries(queries)) {
        for (const query of asked) look('get', path, await app.call('GET', path + query, { token }));
        look('get', path, await finance.call('GET', path));
        look('get', path, await app.call('GET', path));
    }
}
