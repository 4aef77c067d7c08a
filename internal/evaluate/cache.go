package evaluate

import (
	"container/list"
	"sync"
)

// cache keeps what was made last for some keys. The zero value is empty; it is safe for concurrent use.
type cache[K comparable, V any] struct {
	mu   sync.Mutex
	made map[K]*list.Element // of *kept[K, V]
	used list.List           // the last used first
}

type kept[K comparable, V any] struct {
	key   K
	once  sync.Once
	value V
	err   error
	users int
	gone  bool // from the cache
	close func(V)
}

// get returns the value of a key, which is made once for all that ask for it at the same time, and a function to call when it is not used any
// more. At most so many values stay; close, unless nil, is called when one is neither used nor kept. Errors are not kept.
func (c *cache[K, V]) get(key K, most int, make func() (V, error), close func(V)) (v V, done func(), err error) {
	k := c.enter(key, most, close)
	k.once.Do(func() {
		defer func() {
			if x := recover(); x != nil {
				k.err = panicked(x)
			}
		}()
		k.value, k.err = make()
	})
	if k.err != nil {
		c.leave(k, true)
		return v, nil, k.err
	}
	return k.value, func() { c.leave(k, false) }, nil
}

func (c *cache[K, V]) enter(key K, most int, close func(V)) *kept[K, V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil {
		c.made = map[K]*list.Element{}
	}
	at := c.made[key]
	if at == nil {
		at = c.used.PushFront(&kept[K, V]{key: key, close: close})
		c.made[key] = at
	}
	c.used.MoveToFront(at)
	k := at.Value.(*kept[K, V])
	k.users++
	for c.used.Len() > most {
		c.remove(c.used.Back().Value.(*kept[K, V]))
	}
	return k
}

func (c *cache[K, V]) leave(k *kept[K, V], remove bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k.users--; remove {
		c.remove(k)
	} else {
		c.end(k)
	}
}

// remove takes a value from the cache.
func (c *cache[K, V]) remove(k *kept[K, V]) {
	if k.gone {
		return
	}
	k.gone = true
	c.used.Remove(c.made[k.key])
	delete(c.made, k.key)
	c.end(k)
}

// end closes a value that is neither used nor kept.
func (c *cache[K, V]) end(k *kept[K, V]) {
	if k.gone && k.users == 0 && k.err == nil && k.close != nil {
		k.close(k.value)
	}
}
