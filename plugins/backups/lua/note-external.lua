-- Note a backup that was made elsewhere, once.
-- KEYS[1] mark of the notice · KEYS[2] events · KEYS[3] audit · KEYS[4] statistics · KEYS[5] tenant
-- ARGV[1] JSON {lifetime, figure, events, audit}
-- Returns 1 noted, 0 it was noted before, -1 there is no such tenant
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
if redis.call('EXISTS', KEYS[5]) == 0 then return -1 end
if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', change.lifetime) then return 0 end
redis.call('HINCRBY', KEYS[4], change.figure, 1)
append_entries(KEYS[2], KEYS[3], change, now())
return 1
