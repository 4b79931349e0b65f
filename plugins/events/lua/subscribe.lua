-- Hand a consumer what comes from now on; said again, it changes nothing.
-- KEYS[1] events · KEYS[2] the consumers of these events
-- ARGV[1] consumer
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '$', 'MKSTREAM')
if made.err and not made.err:find('BUSYGROUP', 1, true) then return made end
redis.call('SADD', KEYS[2], ARGV[1])
return 1
