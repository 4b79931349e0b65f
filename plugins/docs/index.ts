import Inert from '@hapi/inert';
import Vision from '@hapi/vision';
import HapiSwagger from 'hapi-swagger';

import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

/** The OpenAPI document and Swagger UI, made from what the routes say of themselves. */
export const docs: Plugin<Platform> = {
    name: 'docs',
    register: async (server, { config }) => {
        if (!config.DOCS) return;
        await server.register([Inert, Vision]);
        await server.register({
            plugin: HapiSwagger,
            options: {
                OAS: 'v3.0',
                info: {
                    title: 'llm-api-layer',
                    version: config.VERSION,
                    description: 'Multi-tenant backend for LLM applications.',
                },
                grouping: 'tags',
                auth: false,
                securityDefinitions: { accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
                security: [{ accessToken: [] }],
            },
        });
    },
};
