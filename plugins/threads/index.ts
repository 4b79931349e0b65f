import type { Plugin } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

export const threads: Plugin<Platform> = { name: 'threads', register: () => undefined };
