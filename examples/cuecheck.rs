//! throwaway
use defuse::{packs::{Packs,Source,check,primary},cues,text::*};
use std::collections::BTreeMap;
fn main(){
 let a:Vec<String>=std::env::args().collect();
 let src=Source::Folder(a[1].clone().into());
 let tag=&a[2];
 let packs=match Packs::load(&src){Ok(p)=>p,Err(e)=>{for e in e{println!("error: {e}")} std::process::exit(1)}};
 for f in check(&packs){ if f.place.contains(&format!("languages/{tag}/")) && !f.place.contains("playbooks") {println!("{f}")} }
 let lang=match packs.languages.get(tag){Some(l)=>l,None=>{println!("no such language {tag}");std::process::exit(1)}};
 let lex=match cues::Lexicon::compile(lang,&packs.cues){Ok(l)=>l,Err(e)=>{for e in e{println!("{e}")} std::process::exit(1)}};
 let pr=cues::prove(lang,&lex); for f in &pr{println!("{f}")}
 let (p,w)=lex.size(); println!("{p} patterns, {w} words, {} proof failures",pr.len());
 let mut mk=MailMarkers::default();
 for l in packs.languages.values(){ let m=&l.spec.mail; mk.extend(&MailMarkers{quote_headers:m.quote_headers.clone(),device_lines:m.device_lines.clone(),closings:m.closings.clone(),headers:m.headers.clone(),footers:m.footers.clone()}); }
 let quiet=std::env::var("BRIEF").is_ok();
 let only=std::env::var("CUE").ok();
 let mut st:BTreeMap<String,[usize;3]>=BTreeMap::new();
 let (mut hn,mut hc)=(0,0);
 for f in &a[3..]{ for l in std::fs::read_to_string(f).unwrap().lines(){
  let v:serde_json::Value=serde_json::from_str(l).unwrap();
  if primary(v["lang"].as_str().unwrap())!=primary(tag){continue}
  let t=v["text"].as_str().unwrap();
  let n=normalise(t); let own=separate(&n.text,&mk); let r=lex.read(&n,&own);
  let gold:std::collections::BTreeSet<String>=v["cues"].as_array().unwrap().iter().map(|c|c["cue"].as_str().unwrap().to_string()).collect();
  let got:std::collections::BTreeSet<String>=r.hits.iter().map(|h|h.cue.clone()).collect();
  if v["note"].as_str().is_some_and(|n|n.starts_with("HN")){hn+=1; if got.is_subset(&gold){hc+=1}}
  for c in gold.union(&got){ let e=st.entry(c.clone()).or_default(); match(gold.contains(c),got.contains(c)){(true,true)=>e[0]+=1,(false,true)=>e[1]+=1,(true,false)=>e[2]+=1,_=>{}} }
  if quiet||only.as_ref().is_some_and(|o|!gold.contains(o)&&!got.contains(o)){continue}
  for c in got.difference(&gold){ if only.as_ref().is_some_and(|o|o!=c){continue} for h in r.hits.iter().filter(|h|&h.cue==c){ println!("FP {} {} [{}] by {} IN {}",v["id"].as_str().unwrap(),c,&t[h.span.clone()],h.rule,t.replace('\n',"\\n")) } }
  for c in gold.difference(&got){ if only.as_ref().is_some_and(|o|o!=c){continue} let spans:Vec<_>=v["cues"].as_array().unwrap().iter().filter(|x|x["cue"]==c.as_str()).map(|x|x["text"].as_str().unwrap()).collect(); let sup:Vec<_>=r.suppressed.iter().filter(|s|&s.hit.cue==c).map(|s|format!("{}:{}",s.reason.name(),s.hit.rule)).collect(); println!("FN {} {} {:?} suppressed {:?} IN {}",v["id"].as_str().unwrap(),c,spans,sup,t.replace('\n',"\\n")) }
 }}
 let mut tot=[0;3];
 for (c,[tp,fp,fneg]) in &st { for i in 0..3{tot[i]+=[tp,fp,fneg][i]} println!("{c:18} tp {tp:4} fp {fp:4} fn {fneg:4}  P {:.2} R {:.2}",*tp as f64/(*tp+*fp).max(1) as f64,*tp as f64/(*tp+*fneg).max(1) as f64); }
 let p=tot[0] as f64/(tot[0]+tot[1]).max(1) as f64; let r=tot[0] as f64/(tot[0]+tot[2]).max(1) as f64;
 println!("TOTAL P {p:.3} R {r:.3} F1 {:.3}  HN clean {hc}/{hn}",2.0*p*r/(p+r).max(1e-9));
}
