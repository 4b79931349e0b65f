-- Begin a backup: of a user, of a schedule in the step that moves it to its next time, or of a restore.
-- KEYS[1] backup · KEYS[2] events · KEYS[3] audit · KEYS[4] backups by creation · KEYS[5] id of the one that is being made
-- KEYS[6] the restore that runs: hash of its id and its source · KEYS[7] backups by expiry
-- KEYS[8] schedule, or restore · KEYS[9] schedules by their next time
-- ARGV[1] JSON {id, fields: [field, value, …], expiresAt, restoreId?, schedule?: {id, expected, next}, events, audit}
-- Returns {1, time} begun, {0} the id is taken, {-1} another is being made, {-2} a restore runs, {-3} the schedule is not
-- due at that time any more
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local schedule = change.schedule
if schedule and redis.call('HGET', KEYS[8], 'nextRunAt') ~= schedule.expected then return { -3 } end
if redis.call('EXISTS', KEYS[5]) == 1 then return { -1 } end
local restoring = redis.call('HGET', KEYS[6], 'id')
if restoring and restoring ~= change.restoreId then return { -2 } end
if redis.call('EXISTS', KEYS[1]) == 1 then return { 0 } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(change.fields))
redis.call('ZADD', KEYS[4], time, change.id)
redis.call('SET', KEYS[5], change.id)
redis.call('ZADD', KEYS[7], change.expiresAt, change.id)
if change.restoreId then
    redis.call('HSET', KEYS[8], 'safetyBackupId', change.id, 'updatedAt', time)
    redis.call('HINCRBY', KEYS[8], 'revision', 1)
    redis.call('HSET', KEYS[6], 'safety', change.id)
end
if schedule then
    redis.call('HSET', KEYS[8], 'lastRunAt', time, 'nextRunAt', schedule.next, 'updatedAt', time)
    redis.call('HINCRBY', KEYS[8], 'revision', 1)
    redis.call('ZADD', KEYS[9], schedule.next, schedule.id)
end
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, at }
