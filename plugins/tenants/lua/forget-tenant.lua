-- A tenant is purged: it leaves the list, and its domain is free again. Told in the platform's audit, once.
-- KEYS[1] domain · KEYS[2] tenants · KEYS[3] events · KEYS[4] audit
-- ARGV[1] JSON {id, events, audit}
-- @include now
-- @include outbox
local change = cjson.decode(ARGV[1])
if redis.call('GET', KEYS[1]) == change.id then redis.call('DEL', KEYS[1]) end
if redis.call('ZREM', KEYS[2], change.id) == 1 then append_entries(KEYS[3], KEYS[4], change, now()) end
return 1
