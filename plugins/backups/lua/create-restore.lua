-- Begin a restore, the only one of the tenant while it runs.
-- KEYS[1] restore · KEYS[2] events · KEYS[3] audit · KEYS[4] the restore that runs: hash of its id, its source and the backup
-- of what was there before · KEYS[5] id of the backup that is being made · KEYS[6] backup
-- ARGV[1] JSON {id, backupId, fields: [field, value, …], events, audit}
-- Returns {1, time} begun, {0} there is no such backup, {-1} one is being made, {-2} a restore runs, {-3, state} the backup
-- is in a state that cannot be restored
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
local state = redis.call('HGET', KEYS[6], 'state')
if not state or state == 'deleting' then return { 0 } end
if redis.call('EXISTS', KEYS[4]) == 1 then return { -2 } end
if redis.call('EXISTS', KEYS[5]) == 1 then return { -1 } end
if state ~= 'completed' and state ~= 'verified' then return { -3, state } end

local at = now()
local time = string.format('%d', at)
redis.call('HSET', KEYS[1], 'id', change.id, 'revision', 1, 'createdAt', time, 'updatedAt', time, unpack(change.fields))
redis.call('HSET', KEYS[4], 'id', change.id, 'source', change.backupId)
append_entries(KEYS[2], KEYS[3], change, at)
return { 1, at }
