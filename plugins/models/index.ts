import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const models: Plugin<Platform> = { name: 'models', register: () => undefined };
