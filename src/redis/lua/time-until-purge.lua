-- How long a record that was deleted softly can still be restored.
-- KEYS[1] record
-- ARGV[1] how long in all, in milliseconds
-- Returns {milliseconds left, or 0; when they are over}, {} it does not exist or is not deleted
-- @include now
local deleted = redis.call('HGET', KEYS[1], 'deletedAt')
if not deleted then return {} end
local due = deleted + ARGV[1]
return { math.max(0, due - now()), due }
