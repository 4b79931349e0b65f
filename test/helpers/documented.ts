import { askAboutAccounts } from './documented-accounts.ts';
import { askAboutAudit } from './documented-audit.ts';
import { askAboutBackups } from './documented-backups.ts';
import { askAboutMetrics } from './documented-metrics.ts';
import { askAboutOperations } from './documented-operations.ts';
import { askAboutProxies } from './documented-proxies.ts';
import { askAboutReports } from './documented-reports.ts';
import { askAboutTunnels } from './documented-tunnels.ts';
import { askAboutVms } from './documented-vms.ts';
import { askAboutWebhooks } from './documented-webhooks.ts';

/** Each asks the operations of a feature for what they have to say. */
export const documentedFeatures = [
    askAboutAccounts,
    askAboutAudit,
    askAboutBackups,
    askAboutOperations,
    askAboutTunnels,
    askAboutProxies,
    askAboutReports,
    askAboutVms,
    askAboutWebhooks,
    askAboutMetrics,
];
