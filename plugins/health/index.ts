import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const health: Plugin<Platform> = { name: 'health', register: () => undefined };
