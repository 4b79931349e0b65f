import { ConfigMirror } from './config-mirror.ts';
import { createConfigService } from './config-service.ts';
import { createConfigStore } from './config-store.ts';
import { maintenanceCheck, refusePublic } from './maintenance.ts';
import { Obedience } from './obedience.ts';
import { getConfig } from './routes/get-config.ts';
import { updateConfig } from './routes/update-config.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';

import type { Plugin } from '@hapi/hapi';
import type { OperationsPort } from './api.ts';
import type { Platform } from '../../src/platform.ts';

export const operations: Plugin<Platform> = {
    name: 'operations',
    register: (server, { config: { REGISTRATION: registration }, ...platform }) => {
        const { signals, logger } = platform;
        const append = appendOutbox(platform.store);
        const store = createConfigStore(platform.store);
        const mirror = new ConfigMirror({ store, signals, logger, registration });
        const obedience = new Obedience(signals);
        const config = createConfigService({ store, obedience, append, registration });
        const checkMaintenance = maintenanceCheck(mirror.settings);
        const port: OperationsPort = { settings: mirror.settings, checkMaintenance, config };
        server.expose(port);

        server.ext('onPreAuth', refusePublic(checkMaintenance), { before: 'auth' });
        server.ext('onPreStart', async () => {
            await mirror.start();
            await obedience.listen();
        });
        server.ext('onPostStop', () => {
            mirror.stop();
            obedience.stop();
        });
        // Other features are made by what is configured, so this one comes first; its routes ask for a permission.
        server.dependency(['auth'], async () => {
            server.route(getConfig(config));
            server.route(updateConfig(config));
        });
    },
};
