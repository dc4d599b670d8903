-- ARGV: now, sid, the private data as it is thought to be or '', as it is to be or ''. Returns
-- `changed` and the record; or `found` and the record, if there is one, when it is not live or its
-- data is not what was thought.
local record = redis.call('HGET', KEYS[1], ARGV[2])
if not record then return { 'found' } end
local session = cjson.decode(record)
if not is_live(session) or (session.data or '') ~= ARGV[3] then return { 'found', record } end
session.data = nil
if ARGV[4] ~= '' then session.data = ARGV[4] end
record = cjson.encode(session)
redis.call('HSET', KEYS[1], ARGV[2], record)
return { 'changed', record }
