import { silentLogger } from './store.ts';
import { kindsOf, tenantData } from './tenant-data.ts';
import { openArchives } from '../../plugins/backups/archive/index.ts';
import { BackupStore } from '../../plugins/backups/backup-store.ts';
import { BackupWork, type BackupWorkParts } from '../../plugins/backups/backup-work.ts';
import { Notifier } from '../../plugins/backups/notifier.ts';
import { RestoreStore } from '../../plugins/backups/restore-store.ts';
import { RestoreWork } from '../../plugins/backups/restore-work.ts';
import { openStorage } from '../../plugins/backups/storage/index.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';
import { Vault } from '../../src/security/vault.ts';

import type { TestApp } from './app.ts';
import type { TenantData } from '../../plugins/backups/api.ts';
import type { Jobs } from '../../src/jobs/jobs.ts';

/** Dies before or after a step: from then on nothing of that process happens any more. */
export class Death {
    /** What has been reached, in order. */
    readonly reached: string[] = [];
    readonly #at: number;
    #die: () => void = () => undefined;
    readonly died = new Promise<void>((resolve) => {
        this.#die = resolve;
    });

    /** @param at Which of the points, from 0; without one it lives */
    constructor(at = Infinity) {
        this.#at = at;
    }

    async pass(name: string): Promise<void> {
        this.reached.push(name);
        if (this.reached.length - 1 < this.#at) return;
        this.#die();
        await new Promise(() => undefined);
    }

    /** The same object whose named methods are each two points: before it and after it. */
    around<T extends object>(target: T, methods: (keyof T & string)[]): T {
        return new Proxy(target, {
            get: (object, name) => {
                const value: unknown = Reflect.get(object, name, object);
                if (typeof value !== 'function') return value;
                const bound = value.bind(object) as (...parameters: unknown[]) => unknown;
                if (!methods.includes(name as keyof T & string)) return bound;
                return async (...parameters: unknown[]) => {
                    await this.pass(`before ${String(name)}`);
                    const result = await bound(...parameters);
                    await this.pass(`after ${String(name)}`);
                    return result;
                };
            },
        });
    }
}

const idleJobs: Jobs = {
    add: () => Promise.resolve(),
    repeat: () => Promise.resolve(),
    close: () => Promise.resolve(),
};

/** What a process makes backups with. */
export const backupParts = (app: TestApp): BackupWorkParts => {
    const { store, config } = app;
    const vault = new Vault(config.VAULT_KEYS);
    return {
        store: new BackupStore(store, vault),
        archives: openArchives({ storage: openStorage(config), vault }),
        data: tenantData(app),
        tenants: new DueTenants(store, 'backup-tenants', 15_000),
        jobs: idleJobs,
        notifier: new Notifier(null, app.server.plugins.users, silentLogger),
        clock: () => Date.now(),
        logger: silentLogger,
        version: 'test',
    };
};

/** The work of a restore as a process of its own does it, until that dies. */
export function restoringProcess(app: TestApp, death: Death, harm: (data: TenantData) => TenantData = (data) => data) {
    const { store: backups, archives, jobs, notifier, logger, ...rest } = backupParts(app);
    const restores = new RestoreStore(app.store, new Vault(app.config.VAULT_KEYS));
    const data = harm(tenantData(app));
    const base = { archives: death.around(archives, ['write', 'verify']), jobs, notifier, logger };
    const work = new BackupWork({ ...rest, ...base, store: death.around(backups, ['begin', 'finish']), data });
    const taken = { data: death.around(data, ['stage', 'swap', 'discard']), kinds: kindsOf(app) };
    return new RestoreWork({
        ...base,
        store: death.around(restores, ['advance']),
        backups,
        work,
        dataOf: () => taken,
    });
}
