import { askAboutAudit } from './documented-audit.ts';
import { askAboutBackups } from './documented-backups.ts';
import { askAboutMetrics } from './documented-metrics.ts';
import { askAboutProxies } from './documented-proxies.ts';
import { askAboutTunnels } from './documented-tunnels.ts';
import { askAboutVms } from './documented-vms.ts';
import { askAboutWebhooks } from './documented-webhooks.ts';

/** Each asks the operations of a feature for what they have to say. */
export const documentedFeatures = [
    askAboutAudit,
    askAboutBackups,
    askAboutTunnels,
    askAboutProxies,
    askAboutVms,
    askAboutWebhooks,
    askAboutMetrics,
];
