-- Look what is due for a tenant's backups now, by the clock that all processes share.
-- KEYS[1] schedules by their next time · KEYS[2] id of the backup that is being made · KEYS[3] the restore that runs
-- KEYS[4] backups that are being deleted · KEYS[5] backups by expiry
-- ARGV[1] how many of each at most
-- Returns {time, schedules, backup or '', restore or '', those being deleted, those that have expired, 1 when there is
-- nothing now or later}
-- @include now
local at = now()
local time = string.format('%d', at)
local function due(key)
    return redis.call('ZRANGEBYSCORE', key, '-inf', time, 'LIMIT', 0, ARGV[1])
end
local idle = redis.call('EXISTS', unpack(KEYS)) == 0 and 1 or 0
return {
    at,
    due(KEYS[1]),
    redis.call('GET', KEYS[2]) or '',
    redis.call('HGET', KEYS[3], 'id') or '',
    redis.call('ZRANGE', KEYS[4], 0, ARGV[1] - 1),
    due(KEYS[5]),
    idle,
}
