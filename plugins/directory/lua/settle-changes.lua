-- Take the notes of changed accounts away whose changes are in the directory; those that have changed again stay.
-- KEYS[1] notes (hash of account → how often)
-- ARGV account, how often it had changed, …
for n = 1, #ARGV, 2 do
    if redis.call('HGET', KEYS[1], ARGV[n]) == ARGV[n + 1] then redis.call('HDEL', KEYS[1], ARGV[n]) end
end
return 1
