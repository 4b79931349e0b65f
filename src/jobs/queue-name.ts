/** The platform's own work; and what is sent to others' servers, which may be slow. */
export type QueueName = 'maintenance' | 'deliveries';
