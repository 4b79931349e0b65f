import { ChainStore } from './chain-store.ts';
import { ExportService } from './export-service.ts';
import { Notary } from './notary.ts';
import { RoundStore } from './round-store.ts';
import { AuditRounds } from './rounds.ts';
import { exportAudit } from './routes/export-audit.ts';
import { listEntries } from './routes/list-entries.ts';
import { verifyAudit } from './routes/verify-audit.ts';
import { Sealer } from './sealer.ts';
import { EntryService } from './service.ts';
import { Signatures } from './signatures.ts';
import { AuditStore } from './store.ts';
import { Trimmer } from './trimmer.ts';
import { Verifier } from './verifier.ts';
import { VerifyService } from './verify-service.ts';
import { appendOutbox } from '../../src/redis/append-outbox.ts';
import { DueTenants } from '../../src/redis/due-tenants.ts';
import { SeenTenants } from '../../src/redis/seen-tenants.ts';

import type { Plugin, Server } from '@hapi/hapi';
import type { Platform } from '../../src/platform.ts';

/** Tenants that had requests are looked at each 15 s; a look may begin a little before. */
const LOOK_EVERY_MS = 12_000;
const NOTE_EVERY_MS = 20_000;

export const audit: Plugin<Platform> = {
    name: 'audit',
    dependencies: ['auth', 'tenants'],
    register: (server, platform) => {
        const { config, store, vault, logger } = platform;
        const { tenants } = server.plugins;
        const append = appendOutbox(store);
        const entries = new AuditStore(store, vault);
        const chain = new ChainStore(store, (tenantId) => tenants.key(tenantId));
        const notary = new Notary(new Signatures(config.VAULT_KEYS));
        const verifier = new Verifier({ chain, notary });
        const parts = { chain, notary, verifier, logger };
        const due = new DueTenants(store, 'audit-tenants', LOOK_EVERY_MS);
        const rounds = new AuditRounds({
            tenants,
            due,
            places: new RoundStore(store),
            sealer: new Sealer(parts),
            trimmer: new Trimmer(parts),
            logger,
        });
        server.expose({ sealDue: () => rounds.sealDue(), keep: () => rounds.keep() });
        noteTenants(server, platform, due);
        server.route(listEntries(new EntryService(entries)));
        server.route(exportAudit(new ExportService(entries, append)));
        server.route(verifyAudit(new VerifyService({ store: entries, chain, verifier, append, logger })));
    },
};

/** Whoever had a request may have something to seal. */
function noteTenants(server: Server, { drain, logger }: Platform, due: DueTenants): void {
    const seen = new SeenTenants(due, logger, 'audit');
    server.events.on('response', ({ auth }) => {
        if (auth.isAuthenticated) seen.add(auth.credentials.actor.tenantId);
    });
    const timer = setInterval(() => void seen.flush(), NOTE_EVERY_MS).unref();
    drain.onDrain(() => seen.flush());
    server.ext('onPostStop', () => clearInterval(timer));
}
