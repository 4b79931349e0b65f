-- Hand a consumer no more events, nor those again that it was handed and has not done with.
-- KEYS[1] events · KEYS[2] the consumers of these events
-- ARGV[1] consumer
if redis.call('SREM', KEYS[2], ARGV[1]) == 1 then redis.pcall('XGROUP', 'DESTROY', KEYS[1], ARGV[1]) end
return 1
