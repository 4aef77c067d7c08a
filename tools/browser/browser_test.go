// Package browser tests the pages that pimflow writes in headless Chromium.
package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium is the path of a browser. Without one the test is skipped, but fails in CI.
func chromium(t *testing.T) string {
	for _, name := range []string{"chromium-headless-shell", "headless_shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("no Chromium: apt-get install chromium-headless-shell")
	}
	t.Skip("no Chromium")
	return ""
}

// pages writes the pages that are looked at, by name.
func pages(t *testing.T) map[string]string {
	dir := t.TempDir()
	bin := filepath.Join(dir, "pimflow")
	out := func(name string, arg ...string) string {
		t.Helper()
		text, err := exec.CommandContext(t.Context(), name, arg...).Output()
		if err != nil {
			if e, ok := err.(*exec.ExitError); ok {
				t.Fatalf("%s %s: %v: %s", name, strings.Join(arg, " "), err, e.Stderr)
			}
			t.Fatal(err)
		}
		return string(text)
	}
	out("go", "build", "-C", "../..", "-o", bin, "./cmd/pimflow")
	graph := out(bin, "graph", "toy", "--values")
	for from, to := range map[string]string{`"stem.`: `"/model.0/conv/Conv`, `"block.`: `"/model.1/m.0/cv1/conv/Conv_`, `"head.`: `"/model.22/a&b<i>/`} {
		graph = strings.ReplaceAll(graph, from, to)
	}
	names := filepath.Join(dir, "names.graph")
	if err := os.WriteFile(names, []byte(graph), 0o666); err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for name, arg := range map[string][]string{
		"toy": {"toy", "--check"}, "mobilenet-v2": {"mobilenet-v2", "--effort", "low"}, "vgg-16": {"vgg-16", "--policy", "mddp"},
		"gpu": {"toy", "--policy", "gpu"}, "names": {names, "--effort", "low"},
	} {
		list[name] = filepath.Join(dir, name+".html")
		out(bin, append([]string{"run", "--launches=false", "--html", list[name]}, arg...)...)
	}
	return list
}

// faults lists what is wider than the window, and texts that lie upon others in a figure.
const faults = `(()=>{
const out=[],w=document.documentElement;
if(w.scrollWidth>innerWidth)out.push('the page is '+w.scrollWidth+' wide');
const seen=e=>{const s=getComputedStyle(e);return s.visibility!=='hidden'&&s.display!=='none'};
const texts=root=>{const list=[],walk=document.createTreeWalker(root,NodeFilter.SHOW_TEXT);
 while(walk.nextNode()){const n=walk.currentNode;if(!n.textContent.trim()||!seen(n.parentElement))continue;const r=document.createRange();r.selectNodeContents(n);
  let c={left:-1e9,right:1e9,top:-1e9,bottom:1e9};for(let e=n.parentElement;e&&e!==root;e=e.parentElement)if(getComputedStyle(e).overflow!=='visible'){const q=e.getBoundingClientRect();c={left:Math.max(c.left,q.left),right:Math.min(c.right,q.right),top:Math.max(c.top,q.top),bottom:Math.min(c.bottom,q.bottom)}}
  for(const q of r.getClientRects()){const b={left:Math.max(q.left,c.left),right:Math.min(q.right,c.right),top:Math.max(q.top,c.top),bottom:Math.min(q.bottom,c.bottom)};if(b.right>b.left&&b.bottom>b.top)list.push([n.textContent.trim(),b,n])}}return list};
for(const f of document.querySelectorAll('section .three>div,#tlbox,.legend,.limits,.roof,.bars,.parts,.policies,#tab thead,#tab tbody tr:nth-child(-n+8),dl,h1,.meta')){
 const list=texts(f);
 for(const[t,b]of list)if(b.right>innerWidth+.5||b.left<-.5)out.push(t+' is outside');
 for(let i=0;i<list.length;i++)for(let j=i+1;j<list.length;j++){const[a,p,m]=list[i],[b,q,n]=list[j];if(m===n)continue;
  if(Math.min(p.right,q.right)-Math.max(p.left,q.left)>1&&Math.min(p.bottom,q.bottom)-Math.max(p.top,q.top)>5)out.push(a+' lies upon '+b)}}
return[...new Set(out)].slice(0,12)})()`

// actions tries what the script adds, and lists what does not act.
const actions = `(()=>{
const out=[],$=id=>document.getElementById(id),want=(what,ok)=>{if(!ok)out.push(what)};
const width=()=>+$('tls').getAttribute('viewBox').split(' ')[2],whole=width();
const key=(k,to)=>(to||$('tlbox')).dispatchEvent(new KeyboardEvent('keydown',{key:k,bubbles:true}));
$('zin').click();want('zooming in',Math.abs(width()-whole/2)<1);
key('ArrowRight');want('panning',+$('tls').getAttribute('viewBox').split(' ')[0]>whole/4);
for(let i=0;i<40;i++)key('+');want('a shortest span, not '+width(),Math.abs(width()-500)<1);
key('0');want('reset',Math.abs(width()-whole)<1);
if($('zchan')){$('zchan').click();const n=parseInt($('zchan').textContent);want('channels',+$('tlc').getAttribute('height')===9*n&&$('tlc').querySelectorAll('path.p3').length>0);$('zchan').click();want('folding',+$('tlc').getAttribute('height')===0)}
const rows=()=>[...document.querySelectorAll('#tab tbody tr[data-l]')],k=[...$('tab').tHead.rows[0].cells].findIndex(c=>c.textContent.startsWith('GPU alone')),v=r=>+r.cells[k].dataset.s;
const head=()=>$('tab').tHead.rows[0].cells[k];head().querySelector('button').click();
want('sorting',head().getAttribute('aria-sort')==='descending'&&rows().every((r,i,a)=>!i||v(a[i-1])>=v(r)));
head().querySelector('button').click();want('sorting back',head().getAttribute('aria-sort')==='ascending'&&rows().every((r,i,a)=>!i||v(a[i-1])<=v(r)));
const row=rows().pop();row.querySelector('.open').click();const more=row.nextElementSibling;want('opening a row',more&&more.className==='more'&&more.querySelectorAll('tr').length>0&&/waited|starts/.test(more.textContent)&&/Ways to execute it/.test(more.textContent));
want('keeping the width, which is '+document.documentElement.scrollWidth,document.documentElement.scrollWidth<=innerWidth);row.querySelector('.open').click();want('closing it',!document.querySelector('tr.more'));
if($('nolaunch')){const c=document.querySelector('.roof circle'),y=c.getAttribute('cy');c.dispatchEvent(new PointerEvent('pointermove',{bubbles:true,clientX:50,clientY:50}));want('what a dot is',!$('tip').hidden&&/FLOP\/s, .*FLOP\/B, .*roof/.test($('tip').textContent));key('Escape',document.body);$('nolaunch').click();want('launches off',c.getAttribute('cy')!==y);$('nolaunch').click();want('launches on',c.getAttribute('cy')===y)}
key(']',document.body);want('stepping',document.querySelectorAll('#tlh .hl').length>0&&!$('tip').hidden);key('Escape',document.body);want('ending it',$('tip').hidden&&!document.querySelector('.on'));
return out})()`

// TestPages: at three widths nothing is wider than the window and no text of a figure lies upon another, the console has no error, and zoom,
// pan, unfolding, sorting, opening and stepping act.
func TestPages(t *testing.T) {
	path := chromium(t)
	list := pages(t)
	alloc, stop := chromedp.NewExecAllocator(t.Context(), append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)...)
	defer stop()
	for name, file := range list {
		look(t, alloc, name, file)
	}
}

// look opens a page at each width.
func look(t *testing.T, alloc context.Context, name, file string) {
	tab, closed := chromedp.NewContext(alloc)
	defer closed()
	tab, cancel := context.WithTimeout(tab, time.Minute)
	defer cancel()
	var mu sync.Mutex
	err := chromedp.Listen(tab, func(e any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := e.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("%s: %+v", name, e.ExceptionDetails)
		case *runtime.EventConsoleAPICalled:
			t.Errorf("%s: console: %+v", name, e.Args)
		case *log.EventEntryAdded:
			t.Errorf("%s: console: %s", name, e.Entry.Text)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int64{390, 800, 1400} {
		if err := chromedp.Do(tab, chromedp.EmulateViewport(width, 900), chromedp.Navigate("file://"+file)); err != nil {
			t.Fatalf("%s, %d px: %v", name, width, err)
		}
		for what, script := range map[string]string{"": faults, "does not act: ": actions} {
			found, err := chromedp.Run(tab, chromedp.Evaluate[[]string](script))
			if err != nil {
				t.Fatalf("%s, %d px: %v", name, width, err)
			}
			for _, x := range found {
				t.Errorf("%s, %d px: %s%s", name, width, what, x)
			}
		}
	}
}
