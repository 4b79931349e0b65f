-- Delete a webhook. Its deliveries stay to be removed in steps, of which there is a note.
-- KEYS[1] webhook · KEYS[2] events · KEYS[3] audit · KEYS[4] the tenant's webhooks · KEYS[5] those that deliveries are
-- left of
-- ARGV[1] JSON {id, revision?, events, audit}
-- Returns 1 deleted, 0 not found, -1 another revision
-- @include now
-- @include outbox
-- @include guard
local change = cjson.decode(ARGV[1])
local allowed = guard(KEYS[1], change)
if allowed ~= 1 then return allowed end
local at = now()
redis.call('UNLINK', KEYS[1])
redis.call('ZREM', KEYS[4], change.id)
redis.call('ZADD', KEYS[5], string.format('%d', at), change.id)
append_entries(KEYS[2], KEYS[3], change, at)
return 1
