'use strict';
(function(){
document.documentElement.classList.remove('nojs');
const D=JSON.parse(document.getElementById('data').textContent),$=id=>document.getElementById(id),NS='http://www.w3.org/2000/svg';
const tl=$('tl'),box=$('tlbox'),svg=$('tls'),chan=$('tlc'),axis=$('tlx'),marks=$('tlh'),tip=$('tip'),END=D.end||1,H=+svg.getAttribute('height');
const LANES=[[0,24,D.alone,0],[68,92,D.plan,0],[108,132,D.plan,1]];
let v=[0,END],unfolded=false,layer=-1;
const num=(x,d)=>{const s=Math.abs(x).toFixed(d===undefined?1:d).split('.');if(s[0].length>4)s[0]=s[0].replace(/\B(?=(\d{3})+$)/g,'\u202f');return(x<0?'−':'')+s.join('.')};
const us=x=>num(x/1e3)+'\u00a0µs',dev=d=>d?'PIM':'GPU';
const el=(tag,at,to)=>{const e=document.createElementNS(NS,tag);for(const k in at)e.setAttribute(k,at[k]);to.appendChild(e);return e};
const ticks=(a,b)=>{const w=b-a;let s=Math.pow(10,Math.floor(Math.log10(w/5)));for(const k of[1,2,5,10])if(w/(s*k)<=6){s*=k;break}
 const out=[];for(let x=Math.ceil(a/s-1e-9)*s;x<=b+s*1e-9;x+=s)out.push(x);return[out,Math.max(0,-Math.floor(Math.log10(s)+1e-9))]};
function draw(){
 const w=v[1]-v[0];svg.setAttribute('viewBox',v[0]+' 0 '+w+' '+H);
 for(const s of tl.querySelectorAll('.tags [data-x]')){const x=(s.dataset.x-v[0])/w;s.style.left=100*x+'%';s.style.visibility=x<0||x>.98?'hidden':''}
 if($('saved'))$('saved').style.visibility=w<END?'hidden':'';
 if(w<END||axis.dataset.z){axis.dataset.z=1;const[t,d]=ticks(v[0]/1e3,v[1]/1e3);axis.textContent='';t.forEach((x,i)=>{const s=document.createElement('span'),p=(x*1e3-v[0])/w;s.textContent=num(x,d);if(i%2)s.className='odd';
  if(p<.08)s.style.left=100*p+'%';else if(p>.92)s.style.right=100*(1-p)+'%';else{s.style.left=100*p+'%';s.style.transform='translateX(-50%)'}axis.appendChild(s)})}
 if(unfolded)channels()}
function channels(){
 chan.textContent='';let n=0;for(const r of D.channels){let k=0;for(let i=0;i<r.length;i+=2)k+=r[i];n=Math.max(n,k)}
 const h=unfolded?9*n:0;chan.setAttribute('height',h);chan.style.marginTop=unfolded?'6px':0;if(!unfolded)return;
 const w=v[1]-v[0],px=chan.clientWidth||1000;chan.setAttribute('viewBox','0 0 '+px+' '+h);
 for(let k=0;k<n;k++)el('rect',{class:'wash',x:0,y:9*k,width:Math.max(0,Math.min(px,(Math.max(...D.plan.map(p=>p[3]))-v[0])/w*px)),height:8},chan);
 D.plan.forEach((p,i)=>{if(!p[1]||p[3]<v[0]||p[2]>v[1])return;const r=D.channels[i],at=p[2]+p[4]+p[5];let y=0;
  for(let k=0;k<r.length;k+=2){const a=(at-v[0])/w*px,b=(Math.min(at+r[k+1],p[3])-v[0])/w*px;
   if(b-a>.3){let d='';for(let j=0;j<r[k];j++)d+='M'+a.toFixed(1)+' '+9*(y+j)+'h'+(b-a).toFixed(1)+'v8h'+(a-b).toFixed(1)+'z';el('path',{class:'p3',d},chan)}y+=r[k]}})}
function view(a,b){const least=Math.min(500,END),w=Math.min(END,Math.max(least,b-a)),m=(a+b)/2;a=Math.max(0,Math.min(END-w,m-w/2));v=[a,a+w];draw()}
const zoom=(k,at)=>{const w=v[1]-v[0],c=at===undefined?(v[0]+v[1])/2:at,n=Math.min(END,Math.max(Math.min(500,END),w*k)),a=c-(c-v[0])/w*n;view(a,a+n)};
const pan=k=>{const w=v[1]-v[0];view(v[0]+k*w,v[1]+k*w)};
$('zin').onclick=()=>zoom(.5);$('zout').onclick=()=>zoom(2);$('zreset').onclick=()=>view(0,END);
if($('zchan'))$('zchan').onclick=e=>{unfolded=!unfolded;e.currentTarget.setAttribute('aria-expanded',unfolded);channels()};
function light(l,from){
 layer=l;marks.textContent='';document.querySelectorAll('.on').forEach(e=>e.classList.remove('on'));if(l<0)return;
 const at=[];LANES.forEach((n,i)=>{for(const p of n[2])if(p[0]===l&&(i===0||p[1]===n[3])){el('rect',{class:'hl',x:p[2],y:n[0],width:p[3]-p[2],height:24},marks);(at[i?1:0]=at[i?1:0]||[]).push(p)}});
 if(at[0]&&at[1]){const a=Math.min(...at[0].map(p=>p[2])),b=Math.max(...at[0].map(p=>p[3])),c=Math.min(...at[1].map(p=>p[2])),d=Math.max(...at[1].map(p=>p[3]));el('path',{class:'rib',d:'M'+a+' 24L'+c+' 68H'+d+'L'+b+' 24z'},marks)}
 document.querySelectorAll('#roof circle[data-l="'+l+'"]').forEach(e=>e.classList.add('on'));
 const row=document.querySelector('#tab tr[data-l="'+(l+1)+'"]');if(row)row.classList.add('on')}
function lines(l,p){
 const x=D.layers[l],out=[x[1]+(x[2]?' → '+x[2]:'')+(x[3]?', '+num(x[3]/1e6,2)+' M MAC':'')];
 const alone=D.alone.filter(q=>q[0]===l),own=D.plan.filter(q=>q[0]===l);
 if(alone.length)out.push('GPU alone '+us(alone.reduce((s,q)=>s+q[3]-q[2],0))+(D.bounds[alone[0][16]]?', most of it '+D.bounds[alone[0][16]]:''));
 own.slice(0,6).forEach(q=>out.push('plan: '+dev(q[1])+part(q)+' '+us(q[3]-q[2])+', from '+us(q[2])+', '+num(q[15]/1e6)+' µJ'));
 if(own.length>6)out.push(own.length-6+' more pieces');
 if(p){out.push((p[4]?'launch '+us(p[4]):'shares a launch')+', moving '+us(p[5])+', '+(p[1]?'commands ':'computing ')+us(p[6])+(D.bounds[p[16]]?'; bound by '+D.bounds[p[16]]:''));
  if(p.length>17)out.push('bytes: GPU memory '+num(p[17],0)+(p[1]?', link '+num(p[18],0)+', banks '+num(p[19],0):''));
  out.push(waits(p))}
 return out}
const part=q=>q[14]?' '+D.axes[q[11]]+' '+q[12]+' to '+q[13]+' of '+q[14]:'';
const waits=p=>p[8]?'waited '+us(p[7])+' for '+D.whys[p[8]]+' '+D.layers[p[9]][0]+(p[8]<3?' on the '+dev(p[10]):''):'starts with the run';
function show(l,p,x,y,head,first){
 tip.textContent='';const b=document.createElement('b');b.textContent=head||D.layers[l][0];tip.appendChild(b);
 for(const t of(first?[first]:[]).concat(lines(l,p))){const s=document.createElement('span');s.textContent=t;tip.appendChild(s)}
 tip.hidden=false;const r=tip.getBoundingClientRect();tip.style.left=Math.max(8,Math.min(innerWidth-r.width-8,x+14))+'px';tip.style.top=(y+18+r.height>innerHeight?Math.max(8,y-r.height-12):y+18)+'px'}
const hide=()=>{tip.hidden=true};
const time=e=>{const r=svg.getBoundingClientRect();return v[0]+(e.clientX-r.left)/r.width*(v[1]-v[0])};
let drag=null;const touch=new Map();
svg.addEventListener('pointerdown',e=>{touch.set(e.pointerId,e.clientX);if(touch.size===2){drag=null;return}drag={x:e.clientX,at:time(e),shift:e.shiftKey,v:v.slice()};if(e.pointerType!=='touch')svg.setPointerCapture(e.pointerId)});
svg.addEventListener('pointermove',e=>{
 if(touch.size===2&&touch.has(e.pointerId)){const[a,b]=[...touch.values()],was=Math.abs(a-b);touch.set(e.pointerId,e.clientX);const[c,d]=[...touch.values()],is=Math.abs(c-d);if(was>5&&is>5){const r=svg.getBoundingClientRect();zoom(was/is,v[0]+((c+d)/2-r.left)/r.width*(v[1]-v[0]))}return}
 if(drag&&e.buttons){const r=svg.getBoundingClientRect(),w=drag.v[1]-drag.v[0];
  if(drag.shift){const dx=(drag.x-e.clientX)/r.width*w;view(drag.v[0]+dx,drag.v[1]+dx);return}
  const old=marks.querySelector('.drag');if(old)old.remove();const t=time(e);el('rect',{class:'drag',x:Math.min(t,drag.at),y:0,width:Math.abs(t-drag.at),height:H},marks);return}
 const y=e.clientY-svg.getBoundingClientRect().top,t=time(e),n=LANES.find(n=>y>=n[0]&&y<=n[1]);
 const p=n&&n[2].find(p=>(n[0]===0||p[1]===n[3])&&p[2]<=t&&t<p[3]);if(p){if(layer!==p[0])light(p[0]);show(p[0],p,e.clientX,e.clientY)}else{hide();if(layer>=0)light(-1)}});
const up=e=>{touch.delete(e.pointerId);if(drag&&!drag.shift){const t=time(e);if(Math.abs(e.clientX-drag.x)>6&&e.pointerType!=='touch'&&e.type==='pointerup')view(Math.min(t,drag.at),Math.max(t,drag.at));const o=marks.querySelector('.drag');if(o)o.remove()}drag=null};
svg.addEventListener('pointerup',up);svg.addEventListener('pointercancel',up);svg.addEventListener('pointerleave',()=>{if(!drag){hide();light(-1)}});
svg.addEventListener('wheel',e=>{if(!e.ctrlKey&&!e.metaKey)return;e.preventDefault();zoom(e.deltaY>0?1.25:.8,time(e))},{passive:false});
box.addEventListener('keydown',e=>{const k={'+':()=>zoom(.5),'=':()=>zoom(.5),'-':()=>zoom(2),'0':()=>view(0,END),ArrowLeft:()=>pan(-.2),ArrowRight:()=>pan(.2)}[e.key];if(k&&!e.ctrlKey&&!e.metaKey){k();e.preventDefault()}});
addEventListener('keydown',e=>{if(e.ctrlKey||e.metaKey||e.altKey)return;
 if(e.key==='['||e.key===']'){const l=Math.max(0,Math.min(D.layers.length-1,layer+(e.key===']'?1:-1)));light(l);const r=svg.getBoundingClientRect();show(l,null,r.left+r.width/2,r.bottom)}
 if(e.key==='Escape'){light(-1);hide()}});
const roof=$('roof');
if(roof){roof.addEventListener('pointermove',e=>{const l=e.target.dataset&&e.target.dataset.l;if(l===undefined){hide();if(layer>=0)light(-1);return}if(layer!==+l)light(+l);show(+l,null,e.clientX,e.clientY,'',e.target.dataset.q)});
 roof.addEventListener('pointerleave',()=>{hide();light(-1)});
 $('nolaunch').onclick=e=>{const b=e.currentTarget;b.setAttribute('aria-pressed',b.getAttribute('aria-pressed')!=='true');roof.querySelectorAll('circle').forEach(c=>{const y=c.getAttribute('cy');c.setAttribute('cy',c.dataset.y);c.dataset.y=y})}}
const tab=$('tab'),body=tab.tBodies[0];
tab.tHead.addEventListener('click',e=>{const b=e.target.closest('button');if(!b)return;const th=b.parentNode,k=th.cellIndex,asc=th.getAttribute('aria-sort')!=='ascending';
 const first=th.getAttribute('aria-sort')==='none'&&b.dataset.k>3?false:asc;
 tab.querySelectorAll('thead th[aria-sort]').forEach(h=>h.setAttribute('aria-sort','none'));th.setAttribute('aria-sort',first?'ascending':'descending');close();
 const key=r=>{const c=r.cells[k];return c.dataset.s!==undefined?+c.dataset.s:c.textContent},rows=[...body.rows];
 const cmp=(a,b)=>typeof a==='number'?a-b:a.localeCompare(b,undefined,{numeric:true});
 rows.sort((a,b)=>(first?1:-1)*cmp(key(a),key(b))||a.dataset.l-b.dataset.l);rows.forEach(r=>body.appendChild(r))});
const close=()=>{body.querySelectorAll('tr.more').forEach(r=>r.remove());body.querySelectorAll('[aria-expanded=true]').forEach(b=>b.setAttribute('aria-expanded',false))};
body.addEventListener('click',e=>{const row=e.target.closest('tr');if(!row||!row.dataset.l)return;const b=row.querySelector('.open'),was=b.getAttribute('aria-expanded')==='true';
 if(row.nextSibling&&row.nextElementSibling&&row.nextElementSibling.className==='more'&&was){row.nextElementSibling.remove();b.setAttribute('aria-expanded',false);return}
 b.setAttribute('aria-expanded',true);const l=row.dataset.l-1,x=D.layers[l],more=document.createElement('tr');more.className='more';const td=more.insertCell();td.colSpan=99;
 const p=document.createElement('p');p.textContent=x[1]+' → '+x[2]+(x[3]?', '+num(x[3]/1e6,2)+' M MAC':'')+'. Whole and alone, beside this plan’s channels: '+(x[4]===null?'the GPU cannot execute it':'GPU '+us(x[4])+' ('+x[5]+(x[11]?', '+num(x[10]/1e3)+' to '+us(x[11]):'')+')')+(x[6]===null?', the PIM cannot execute it':', PIM '+us(x[6])+' ('+x[7]+')')+(x[8]?'. Best other way alone: '+x[8]+' '+us(x[9]):'')+'.';td.appendChild(p);
 const t=document.createElement('table');D.plan.filter(q=>q[0]===l).forEach(q=>{const r=t.insertRow();[dev(q[1])+part(q),us(q[2])+' to '+us(q[3]),(q[4]?'launch '+us(q[4]):q[3]>q[2]?'shares a launch':'no work'),'moving '+us(q[5]),(q[1]?'commands ':'computing ')+us(q[6]),num(q[15]/1e6)+'\u00a0µJ',waits(q)].forEach(s=>r.insertCell().textContent=s)});
 td.appendChild(t);
 if(x[12].length){const h=document.createElement('p');h.textContent='Ways to execute it, the fastest alone first: time alone, the plan with it, and why it lost.';td.appendChild(h);const o=document.createElement('table');
  x[12].forEach(q=>{const r=o.insertRow();[q[0],us(q[1]),q[2]?us(q[2]):'–',q[3]].forEach(s=>r.insertCell().textContent=s)});td.appendChild(o)}
 row.after(more)});
body.addEventListener('keydown',e=>{if(e.key!=='ArrowDown'&&e.key!=='ArrowUp')return;const rows=[...body.querySelectorAll('tr[data-l]')].filter(r=>r.offsetParent),i=rows.indexOf(e.target.closest('tr')),n=rows[i+(e.key==='ArrowDown'?1:-1)];if(n){n.querySelector('.open').focus();e.preventDefault()}});
const over=e=>{const r=e.target.closest&&e.target.closest('tr[data-l]');if(r&&layer!==r.dataset.l-1)light(r.dataset.l-1)};
body.addEventListener('pointerover',over);body.addEventListener('focusin',over);body.addEventListener('pointerleave',()=>light(-1));
if($('all'))$('all').onclick=e=>{tab.classList.remove('some');e.currentTarget.parentNode.remove()};
addEventListener('resize',()=>{if(unfolded)channels()});
})();
